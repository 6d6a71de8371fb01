// The transient arena over time, as a picture: which value lies where, from which launch to which.
#pragma once

#include <string>

#include "tools/inspect/plan_summary.h"

namespace ingot::tools {

// Address upwards, launches to the right, a letter a value, '.' where nothing is; with the letters' meaning.
// No more than `columns` launches are drawn, and the rest is told; a decoder's layers repeat.
std::string text_picture(const ProgramSummary& program, size_t columns = 80, size_t rows = 16);

// All of it, to scale. Values carry their name and size as tooltips.
std::string svg_picture(const ProgramSummary& program);

} // namespace ingot::tools
