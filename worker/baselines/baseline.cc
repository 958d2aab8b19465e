#include "worker/baselines/baseline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "worker/baselines/ease.h"
#include "worker/baselines/item_knn.h"
#include "worker/baselines/most_popular.h"

namespace capstan {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"most_popular", "item_knn", "ease"};

}  // namespace

std::span<const std::string_view> baseline_names() {
  return kNames;
}

Result<std::unique_ptr<Baseline>> make_baseline(std::string_view name, const BaselineOptions& options) {
  if (name == "most_popular") return std::unique_ptr<Baseline>(std::make_unique<MostPopular>());
  if (name == "item_knn") return std::unique_ptr<Baseline>(std::make_unique<ItemKnn>());
  if (name == "ease") return std::unique_ptr<Baseline>(std::make_unique<Ease>(options.ease_lambda));
  return make_error(ErrorCode::kInvalid,
                    fmt::format("no baseline \"{}\"; there are {}", name, fmt::join(kNames, ", ")));
}

}  // namespace capstan
