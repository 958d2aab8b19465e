#include "tests/fuzz/fuzz_target.h"

namespace capstan {

std::vector<FuzzTarget> fuzz_targets() {
  std::vector<FuzzTarget> all = wire_targets();
  for (const auto& more :
       {state_targets(), text_targets(), prepared_targets(), values_targets(), service_targets()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace capstan
