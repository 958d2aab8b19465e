// Maximal marginal relevance: the next item is the one that is relevant and unlike what the list has.
#pragma once

#include "worker/rerank/candidates.h"
#include "worker/rerank/item_similarity.h"

namespace capstan {

// Greedy: argmax over the rest of  weight · relevance(i) - (1 - weight) · max over the list of s(i, j);
// the earlier candidate where two are equal. Source: Carbonell and Goldstein, "The Use of MMR,
// Diversity-Based Reranking for Reordering Documents and Producing Summaries" (SIGIR 1998).
Choice choose_mmr(const Candidates& candidates, const ItemSimilarity& similarity, double weight);

}  // namespace capstan
