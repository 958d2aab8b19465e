#include "common/parallel.h"

#include <tbb/parallel_for.h>

namespace capstan {

void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count == 1) return body(0);
  tbb::parallel_for(std::size_t{0}, count, body);
}

}  // namespace capstan
