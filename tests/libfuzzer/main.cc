// libFuzzer's entry: CAPSTAN_FUZZ_TARGET names the target; without it the names are printed. scripts/fuzz.sh
// runs it. With --seeds FOLDER as the first argument it writes the target's seeds there and ends.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/fuzz/fuzz_target.h"

namespace {

const capstan::FuzzTarget* chosen() {
  static const std::vector<capstan::FuzzTarget> targets = capstan::fuzz_targets();
  const char* name = std::getenv("CAPSTAN_FUZZ_TARGET");
  for (const auto& target : targets) {
    if (name != nullptr && target.name == name) return &target;
  }
  for (const auto& target : targets) std::printf("%s\n", std::string(target.name).c_str());
  std::exit(name == nullptr ? 0 : 2);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const capstan::FuzzTarget* target = chosen();
  if (*argc != 3 || std::string((*argv)[1]) != "--seeds") return 0;
  int number = 0;
  for (const capstan::Buffer& seed : target->seeds()) {
    std::ofstream((*argv)[2] + std::string("/seed-") + std::to_string(number++), std::ios::binary)
        << seed.text();
  }
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const capstan::FuzzTarget* target = chosen();
  target->run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
