// activate: the activations without parameters, applied to each value.
#pragma once

#include "common/config/job_config.h"
#include "worker/nn/tape.h"

namespace capstan {

// kNone gives x back. gelu is x·Φ(x) with the exact normal distribution. Source: Hendrycks and Gimpel 2016.
// REQUIRES: not kPrelu, which has parameters (see prelu.h).
Var activate(Tape& tape, Var x, Activation activation);

}  // namespace capstan
