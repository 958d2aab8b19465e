#include "worker/data/generate.h"

#include <spdlog/fmt/fmt.h>

#include "common/adapters/disk_files.h"

namespace capstan {
namespace {

Status check(const GenerateOptions& options) {
  const auto invalid = [](std::string_view what) {
    return make_error(ErrorCode::kInvalid, std::string(what));
  };
  if (options.out_dir.empty()) return invalid("generate: name a folder to write to");
  if (options.rows == 0) return invalid("generate: rows must be at least 1");
  if (!(options.skew >= 0.0 && options.skew <= 10.0)) return invalid("generate: skew must be in [0, 10]");
  if (!(options.drift >= 0.0 && options.drift <= 100.0))
    return invalid("generate: drift must be in [0, 100]");
  if (!(options.linear_scale >= 0.0 && options.pair_scale >= 0.0))
    return invalid("generate: scales must be positive");
  const bool counts = options.fields > 0 && options.values > 0 && options.users > 0 && options.items > 1 &&
                      options.factors > 0 && options.features > 0;
  if (!counts)
    return invalid("generate: fields, values, users, items, factors and features must be positive");
  if (options.features_per_row == 0 || options.features_per_row > options.features) {
    return invalid("generate: features_per_row must be from 1 to features");
  }
  return ok_status();
}

}  // namespace

Result<GenerateSummary> generate(const GenerateOptions& options) {
  CAPSTAN_TRY(check(options));
  DiskFiles files;
  CAPSTAN_TRY(files.create_dirs(options.out_dir));
  switch (options.kind) {
    case GenerateKind::kCtr:
      return generate_ctr(options);
    case GenerateKind::kRatings:
      return generate_ratings(options);
    case GenerateKind::kLibsvm:
      return generate_libsvm(options);
  }
  return make_error(ErrorCode::kInvalid, "generate: no such kind");
}

}  // namespace capstan
