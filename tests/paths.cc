#include "tests/paths.h"

namespace capstan {

std::filesystem::path source_dir() {
  return CAPSTAN_SOURCE_DIR;
}
std::string capstan_binary() {
  return CAPSTAN_BINARY;
}

}  // namespace capstan
