// fm_interaction: the sum of the inner products of all pairs of vectors, in time linear in their number.
#pragma once

#include <cstdint>

#include "worker/nn/tape.h"

namespace capstan {

// x [n, m·dim]: m vectors v_f an example; gives [n, 1] = Σ_{f<g} <v_f, v_g> = ½ Σ_d ((Σ_f v_fd)² - Σ_f
// v_fd²). Source: Rendle 2010, "Factorization Machines", lemma 3.1.
Var fm_interaction(Tape& tape, Var x, std::uint32_t dim);

}  // namespace capstan
