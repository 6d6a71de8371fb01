// What the calls of a stand-in share.
#pragma once

#include "tests/standin/code.h"
#include "tests/standin/exports.h"

namespace ingot::standin {

// What either family's way of launching comes to.
int launch(const Launch& launch, void* kernel, void* stream, void** arguments);

} // namespace ingot::standin
