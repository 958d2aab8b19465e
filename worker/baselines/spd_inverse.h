// The inverse of a symmetric positive definite matrix, by products of its halves.
#pragma once

#include "common/result.h"
#include "worker/nn/matrix.h"

namespace capstan {

// Overwrites m [n, n] with its inverse. With the halves [A B'; B D] and the Schur complement S = D - B A^-1
// B',
//   m^-1 = [A^-1 + A^-1 B' S^-1 B A^-1,  -A^-1 B' S^-1;  -S^-1 B A^-1,  S^-1],
// where A and S are positive definite again: (4/3) n^3 flops, all but the small ends in gemm, in the caller's
// TBB arena. Takes about as much memory again as m. kInvalid when m is not positive definite (to float32).
// Source: Golub and Van Loan, "Matrix Computations", 4th ed., section 3.2.11.
Status invert_spd(Matrix m);

}  // namespace capstan
