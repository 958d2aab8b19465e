#include "worker/data/generate.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "common/adapters/disk_files.h"
#include "common/units.h"

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
    return invalid("generate: scales must not be negative");
  const bool counts = options.fields > 0 && options.values > 0 && options.users > 0 && options.items > 1 &&
                      options.factors > 0 && options.features > 0;
  if (!counts)
    return invalid(
        "generate: items must be at least 2; fields, values, users, factors and features at least 1");
  if (options.features_per_row == 0 || options.features_per_row > options.features) {
    return invalid("generate: features_per_row must be from 1 to features");
  }
  return ok_status();
}

double digits(double count) {
  return std::floor(std::log10(std::max(1.0, count))) + 1.0;
}

// About what the files will take, in bytes; as a double because the product of two options passes 2^64.
double bytes_on_disk(const GenerateOptions& options) {
  const double rows = static_cast<double>(options.rows), all = rows + static_cast<double>(options.test_rows);
  constexpr double kRatingLine = 24.0, kLabel = 2.0, kValueAndSeparators = 4.0;
  switch (options.kind) {
    case GenerateKind::kCtr:
      return all * (kLabel + options.fields * (digits(options.values) + 1.0));
    case GenerateKind::kRatings:
      return rows * kRatingLine;
    case GenerateKind::kLibsvm:
      return all * (kLabel + options.features_per_row * (digits(options.features) + kValueAndSeparators));
  }
  return 0.0;
}

double bytes_in_memory(const GenerateOptions& options) {
  const double factors = options.factors;
  switch (options.kind) {
    case GenerateKind::kCtr:
      return 8.0 * options.fields * options.values * (factors + 1.0);
    case GenerateKind::kRatings:
      return 8.0 * factors * (2.0 * options.users + options.items);
    case GenerateKind::kLibsvm:
      return 8.0 * options.features;
  }
  return 0.0;
}

// Better a word at once than a full disk, or the kernel's killer, after an hour.
Status check_room(const GenerateOptions& options) {
  const auto refused = [](std::string_view what, double wanted, double there) {
    const auto words = [](double bytes) {
      return format_bytes(static_cast<std::uint64_t>(std::min(bytes, 9e18)));
    };
    return make_error(ErrorCode::kInvalid, fmt::format("generate: {} would take about {}, and {} are free",
                                                       what, words(wanted), words(there)));
  };
  std::error_code error;
  const auto space = std::filesystem::space(options.out_dir, error);
  const double disk = bytes_on_disk(options);
  if (!error && disk > static_cast<double>(space.available))
    return refused("the files in " + options.out_dir, disk, static_cast<double>(space.available));
  const double memory =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  const double truth = bytes_in_memory(options);
  if (truth > memory) return refused("the planted truth", truth, memory);
  return ok_status();
}

}  // namespace

Result<GenerateSummary> generate(const GenerateOptions& options) {
  CAPSTAN_TRY(check(options));
  DiskFiles files;
  CAPSTAN_TRY(files.create_dirs(options.out_dir));
  CAPSTAN_TRY(check_room(options));
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
