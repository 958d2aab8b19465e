// Whether a dataset's blocks are what its sizes say, so that every row of it can be read.
#pragma once

#include <string>

#include "worker/data/dataset.h"

namespace capstan {

// The block that is too short or long, or that speaks of a row, user or item that is not there; empty: every
// block fits.
std::string misfit(const Dataset& data);

}  // namespace capstan
