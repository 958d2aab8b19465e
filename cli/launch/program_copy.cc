#include "cli/launch/program_copy.h"

#include <spdlog/fmt/fmt.h>
#include <xxhash.h>

#include "common/adapters/disk_files.h"

namespace capstan {
namespace {

constexpr const char* kFolder = "\"$HOME\"/.cache/capstan";

}  // namespace

ProgramCopy::ProgramCopy(Buffer bytes)
    : bytes_(std::move(bytes)),
      path_(fmt::format("{}/capstan-{:016x}", kFolder, XXH3_64bits(bytes_.data(), bytes_.size()))) {}

Result<ProgramCopy> ProgramCopy::make() {
  CAPSTAN_ASSIGN(Buffer bytes, DiskFiles().read("/proc/self/exe"));
  return ProgramCopy(std::move(bytes));
}

std::string ProgramCopy::line() const {
  return fmt::format(
      "mkdir -p {0} && {{ test -x {1} || "
      "{{ new=$(mktemp {1}.XXXXXX) && cat > \"$new\" && chmod 755 \"$new\" && mv \"$new\" {1}; }}; }}",
      kFolder, path_);
}

}  // namespace capstan
