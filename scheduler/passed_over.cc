#include "scheduler/passed_over.h"

#include <spdlog/fmt/fmt.h>

namespace capstan {

std::string passed_over(const std::string& directory, const std::string& why) {
  const bool named = why.find(directory) != std::string::npos;
  return named ? why : fmt::format("{} needs what is damaged: {}", directory, why);
}

}  // namespace capstan
