// gemm: products of matrices, from oneDNN, on the calling thread alone.
#pragma once

#include "common/result.h"
#include "worker/nn/matrix.h"

namespace capstan {

enum class Transpose { kNo, kYes };

// c = op(a) · op(b) + beta · c. REQUIRES: shapes agree after transposing, c overlaps neither a nor b.
// Thread-safe; uses no other thread, because micro-batches already run in parallel. With beta 0, c need not
// be initialised.
void gemm(ConstMatrix a, Transpose transpose_a, ConstMatrix b, Transpose transpose_b, float beta, Matrix c);

// Compares gemm with a plain triple loop on awkward shapes. Kernels are chosen by the CPU at hand, and
// libraries have been wrong on CPUs newer than they are: each worker calls this once before it trains.
// kInvalid names the shape.
Status verify_gemm();

}  // namespace capstan
