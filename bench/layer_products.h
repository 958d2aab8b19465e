// What the matrix products of a net cost when nothing else is computed: the bound of a training step.
#pragma once

#include <cstdint>
#include <vector>

namespace capstan {

struct ProductCost {
  double examples_per_second = 0.0;
  double processor_us = 0.0;  // an example, whatever else the cores do
};

// On all cores, each with an equal part of every batch: for each layer [widths[i], widths[i + 1]] the product
// forward and the two backward, through oneDNN as models do. Takes some half second.
ProductCost product_cost(const std::vector<std::uint32_t>& widths, std::uint32_t batch);

}  // namespace capstan
