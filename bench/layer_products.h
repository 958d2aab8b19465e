// What the matrix products of a net cost when nothing else is computed: the bound of a training step.
#pragma once

#include <cstdint>
#include <vector>

namespace capstan {

// Examples a second on all cores, each with an equal part of every batch: for each layer [widths[i],
// widths[i + 1]] the product forward and the two backward, through oneDNN as models do. Takes some half
// second.
double product_examples_per_second(const std::vector<std::uint32_t>& widths, std::uint32_t batch);

}  // namespace capstan
