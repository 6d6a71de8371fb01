// The functions of driver_calls.def, which have the names of the family that is built: STANDIN_HIP or not.
#pragma once

#include <cstddef>

namespace ingot::standin {

#ifdef STANDIN_HIP
#define CALL(name, parameters, nvidia, amd) int name parameters __asm__(amd);
#else
#define CALL(name, parameters, nvidia, amd) int name parameters __asm__(nvidia);
#endif
#include "runtime/gpu/driver_calls.def"
#undef CALL

} // namespace ingot::standin
