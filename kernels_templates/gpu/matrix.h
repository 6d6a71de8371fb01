// Matrix instructions on f16 with sums in f32, as products of 16 x 16 matrices. Both operands lie in shared
// memory with the summed dimension innermost: left [16][depth] and right [16][depth], `stride` f16 from row
// to row. Result (i, j) is the product of row i of left and row j of right.
//
//   matrix_depth               columns of an operand
//   Operand16, Sums16          what a lane has of each
//   load_left, load_right      from shared memory, 16 bytes aligned
//   multiply(sums, l, r)       sums += l * r
//   store(sums, out, stride)   result (i, j) to out[j * stride + i]
#pragma once

#include "gpu/target.h"

#if defined(INGOT_NVPTX)
#include "gpu/matrix/mma.h"
#elif defined(__GFX12__)
#include "gpu/matrix/wmma_gfx12.h"
#elif defined(__GFX11__)
#include "gpu/matrix/wmma_gfx11.h"
#elif defined(__GFX9__)
#include "gpu/matrix/mfma.h"
#else
#include "gpu/matrix/scalar.h"
#endif
