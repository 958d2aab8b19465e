// What memory alone allows: random rows of weights copied from one flat array on 2 MiB pages, where they are
// known, and by way of a line of an index. The bounds of a table's gather.
#pragma once

#include <cstddef>
#include <functional>

namespace capstan {

// Processor time of this thread in seconds, so that other work on the machine does not count.
double processor_seconds();

// Rows of a batch.
constexpr std::size_t kGatherBatch = 8192;

// Calls measure(what, gather) for both: gather() copies the weights of kGatherBatch random rows out of `rows`
// rows of `dim` floats. The index has as many lines as KeyIndex has for so many rows; of a line only the
// row's number is read, nothing is compared.
using GatherMeasure = std::function<void(const char* what, const std::function<void()>& gather)>;
void measure_raw_gathers(std::size_t rows, std::size_t dim, const GatherMeasure& measure);

}  // namespace capstan
