#include "common/config/names.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace capstan {
namespace {

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 9> kRanking = {"hr",  "recall",   "precision", "ndcg",   "mrr",
                                                      "map", "coverage", "gini",      "novelty"};
constexpr std::array<std::string_view, 2> kRating = {"rmse", "mae"};
constexpr std::array<std::string_view, 11> kCtr = {
    "auc", "gauc", "logloss", "rmse", "mae", "accuracy", "precision", "recall", "f1", "calibration", "ece"};

}  // namespace

std::vector<WordSpec> metric_words() {
  return {{"auc", "exact area under the ROC curve"},
          {"gauc", "AUC a user, weighted by the user's examples"},
          {"logloss", ""},
          {"rmse", ""},
          {"mae", ""},
          {"accuracy", "at 0.5"},
          {"precision", "ctr: at 0.5; ranking: at k"},
          {"recall", "ctr: at 0.5; ranking: at k"},
          {"f1", "at 0.5"},
          {"calibration", "predicted over observed"},
          {"ece", "expected calibration error"},
          {"hr", "hit rate at k"},
          {"ndcg", "at k"},
          {"mrr", "at k"},
          {"map", "at k"},
          {"coverage", "share of the items that are recommended to somebody"},
          {"gini", "how unevenly items are recommended"},
          {"novelty", "mean -log2 of the recommended items' popularity"}};
}

std::vector<WordSpec> baseline_words() {
  return {{"most_popular", "the items with most train events"},
          {"item_knn", "nearest items by cosine, tuned on validation"},
          {"ease", "EASE, a closed-form item model, for at most 20,000 items: its matrix is items x items"}};
}

std::vector<WordSpec> beside_words() {
  return {{"leave_one_out", "each user's last event is test"},
          {"global_cut", "the latest events over all users, as `data.split.method: global_time`"}};
}

SplitMethod beside_method(const std::string& name) {
  return name == "leave_one_out" ? SplitMethod::kLeaveOneOut : SplitMethod::kGlobalTime;
}

bool may_stop(const std::string& name) {
  constexpr std::array<std::string_view, 4> kNeverBetter = {"calibration", "coverage", "gini", "novelty"};
  return !among(kNeverBetter, name);
}

bool metric_fits(const std::string& name, Task task) {
  switch (task) {
    case Task::kRanking:
      return among(kRanking, name);
    case Task::kRating:
      return among(kRating, name);
    case Task::kCtr:
      return among(kCtr, name);
    case Task::kDirect:
      return false;
  }
  return false;
}

std::string metric_base(const std::string& name) {
  return name.substr(0, name.find('@'));
}

bool is_layer_table(const std::string& name) {
  constexpr std::array<std::string_view, 13> kLayers = {
      "bias",      "linear",   "numeric",  "gmf_out",   "fusion", "fusion_bilinear", "gate1_out", "gate2_out",
      "positions", "out_norm", "vertical", "caser_out", "scale"};
  constexpr std::array<std::string_view, 7> kNumbered = {"cross_", "bottom_", "gate1_",     "gate2_",
                                                         "block_", "gru_",    "horizontal_"};
  const auto numbered = [&](std::string_view stem) {
    return name.starts_with(stem) && name.size() > stem.size() && name[stem.size()] >= '0' &&
           name[stem.size()] <= '9';
  };
  return among(kLayers, name) || name.starts_with("mlp") ||
         std::any_of(kNumbered.begin(), kNumbered.end(), numbered);
}

std::vector<std::string> table_suffixes() {
  return {"_linear", "_bias", "_mlp", "_gmf", "_gate1", "_gate2"};
}

std::string to_word(Task task) {
  switch (task) {
    case Task::kCtr:
      return "ctr";
    case Task::kRating:
      return "rating";
    case Task::kRanking:
      return "ranking";
    case Task::kDirect:
      return "direct";
  }
  return "";
}

}  // namespace capstan
