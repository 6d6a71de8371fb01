// The dot products of the target that is being compiled for.
#pragma once

#if defined(__AVX512VNNI__)
#include "dot_v4.h"
#else
#include "dot_v3.h"
#endif
