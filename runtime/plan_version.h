// The version of the plan file and the policy that goes with it.
//
// - `format_major` rises when an older reader would misread a plan, or a newer reader an older one: a field
// changes
//   its meaning, the header changes its shape. Another major is refused, older or newer.
// - `format_minor` rises when the description gains a field that a reader must honour. A newer minor is
// refused; an
//   older one is read, with the absent fields at their defaults.
// - A field that may be ignored (statistics, text for people) raises neither.
// - How a device calls its kernels has a number of its own, Plan.abi; a device refuses a plan of any other
//   (host: ingot_host::abi_version in host_abi.h).
// Refusing costs little: a plan is made anew from its model in seconds, and the message says how.
#pragma once

#include <cstdint>

namespace ingot::runtime {

inline constexpr std::uint32_t format_major = 1;
inline constexpr std::uint32_t format_minor = 1;

} // namespace ingot::runtime
