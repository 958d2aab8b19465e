// A bounded random share: the list's last places are drawn, so that items are seen that the model does not
// know to be good.
#pragma once

#include "worker/rerank/candidates.h"

namespace capstan {

// The first places stay; of the others, floor(share · list_length), each gets one of the remaining
// candidates, drawn evenly without repetition by the user's seed.
Choice choose_random_share(const Candidates& candidates, double share);

}  // namespace capstan
