#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "common/config/job_checks.h"
#include "common/config/names.h"
#include "common/config/transforms.h"
#include "common/text.h"
#include "common/units.h"

namespace capstan {
namespace {

bool is_separated(DataFormat format) {
  return format == DataFormat::kCsv || format == DataFormat::kTsv;
}

void check_split(const JobConfig& job, ReadContext& context) {
  const DataConfig& data = job.data;
  const SplitConfig& split = data.split;
  const auto is = [&](SplitMethod method) { return split.method == method; };
  const std::string method = "data.split.method";
  demand(!is(SplitMethod::kLeaveOneOut) && !is(SplitMethod::kRatioByUser) ? true : !data.user.empty(),
         context, method, {"data.user"}, "a split by user needs data.user");
  demand(!is(SplitMethod::kLeaveOneOut) && !is(SplitMethod::kGlobalTime) ? true : !data.time.empty(), context,
         method, {"data.time"}, "a split by time needs data.time");
  demand(!is(SplitMethod::kGlobalTime) || data.format != DataFormat::kItemLists, context, method,
         {"data.format"}, "item_lists has an order within each line, and no time that two users share");
  demand(!is(SplitMethod::kFiles) || !data.test.empty() || !data.valid.empty(), context, method,
         {"data.test", "data.valid"}, "`method: files` needs data.test or data.valid");
  demand(!is(SplitMethod::kKFold) || split.fold < split.folds, context, "data.split.fold",
         {"data.split.folds"},
         fmt::format("data.split.fold counts from 0 and must be below folds ({})", split.folds));
  const bool by_share =
      is(SplitMethod::kRatio) || is(SplitMethod::kRatioByUser) || is(SplitMethod::kGlobalTime);
  demand(!by_share || split.test < 1.0, context, "data.split.test", {method},
         "nothing would be left to train on");
  demand(split.valid < 1.0, context, "data.split.valid", {method}, "nothing would be left to train on");
}

// A column that a setting names must be there, where that can be known.
void check_column(const JobConfig& job, ReadContext& context, const std::string& path,
                  const std::string& column) {
  const auto known = known_columns(job.data);
  if (known.empty() || column.empty() || std::find(known.begin(), known.end(), column) != known.end()) return;
  demand(false, context, path, {"data.format", "data.columns", "data.clean"},
         fmt::format("{}: no column '{}'{}", path, column, suggestion(column, known)));
}

void check_clean(const JobConfig& job, ReadContext& context) {
  for (std::size_t i = 0; i < job.data.clean.size(); ++i) {
    const CleanRule& rule = job.data.clean[i];
    const std::string path = fmt::format("data.clean[{}]", i);
    demand(!rule.column.empty(), context, path + ".column", {}, "a rule needs its column");
    check_column(job, context, path + ".column", rule.column);
    demand(!rule.needs_numbers() || rule.type != ColumnType::kString || rule.column.empty(), context,
           path + ".type", {},
           fmt::format("min, max, mean, median and clip need column {} to be numbers: `type: float` or "
                       "`type: int`",
                       rule.column));
    demand(!rule.min || !rule.max || *rule.min <= *rule.max, context, path + ".max", {path + ".min"},
           "max is below min");
    demand(!rule.clip_low || !rule.clip_high || *rule.clip_low < *rule.clip_high, context,
           path + ".clip_high", {path + ".clip_low"}, "clip_high must be above clip_low");
  }
}

bool takes_numbers(const TransformInfo& info) {
  return info.output == TransformOutput::kNumber || info.name == "bucketise";
}

// What is wrong with a step's options, in words; empty: nothing.
std::string option_fault(const TransformStep& step) {
  const auto option = [&](const std::string& name) {
    const auto found = step.options.find(name);
    return found == step.options.end() ? std::string() : found->second;
  };
  if (step.name == "split" && step.options.contains("separator") && option("separator").empty()) {
    return "split needs a separator that is not empty";
  }
  const auto least = parse_uint(option("min")), most = parse_uint(option("max"));
  if (step.name == "ngrams" && least && most && *least > *most) {
    return fmt::format("ngrams with min {} and max {} are none", *least, *most);
  }
  const std::string boundaries = option("boundaries");
  std::optional<double> last;
  for (std::size_t at = 0; at < boundaries.size();) {
    const std::size_t end = std::min(boundaries.find(',', at), boundaries.size());
    const auto number = parse_double(std::string_view(boundaries).substr(at, end - at));
    if (last && number && *number <= *last) {
      return fmt::format("boundaries must rise: {} comes after {}", *number, *last);
    }
    if (number) last = number;
    at = end + 1;
  }
  return "";
}

// What a chain may not do, in words; empty: nothing.
std::string chain_fault(const JobConfig& job, const std::vector<TransformInfo>& all,
                        const FeatureConfig& feature) {
  // In a ranking or rating job a history of users or items lists their indices; any other lists what it is
  // given.
  const bool of_ids = job.task != Task::kCtr && !feature.columns.empty() &&
                      (feature.columns[0] == job.data.user || feature.columns[0] == job.data.item);
  bool keys = false;
  bool numbers = false;
  bool text_list = false;
  for (std::size_t i = 0; i < feature.transform.size(); ++i) {
    const TransformInfo* info = find_transform(all, feature.transform[i].name);
    if (info == nullptr) return "";
    const bool numbers_a_list = text_list && (info->name == "vocab" || info->name == "hash");
    const bool lists_keys = info->name == "history" && i == 1 && !text_list && !of_ids;
    if (keys && !numbers_a_list && !lists_keys) {
      return fmt::format("'{}' cannot follow '{}', which already gives keys", info->name,
                         feature.transform[i - 1].name);
    }
    if (const std::string fault = option_fault(feature.transform[i]); !fault.empty()) return fault;
    if (info->name == "cross" && i > 0) return "'cross' must come first";
    if (numbers && !takes_numbers(*info)) {
      return fmt::format("'{}' cannot follow '{}', which gives a number", info->name,
                         feature.transform[i - 1].name);
    }
    if (info->name == "bucketise" && feature.transform[i].options.contains("boundaries") &&
        feature.transform[i].options.contains("quantiles")) {
      return "bucketise takes boundaries or quantiles, not both";
    }
    text_list = info->name == "split" || (info->name == "history" && !of_ids && i == 0);
    numbers = info->output == TransformOutput::kNumber;
    keys = !numbers;
  }
  if (feature.transform.empty()) return "";
  const bool cross = feature.transform[0].name == "cross";
  if (cross && feature.columns.size() < 2) return "'cross' needs at least two columns";
  if (!cross && feature.columns.size() > 1) return "only 'cross' joins several columns";
  return "";
}

// Who numbers a feature's values: the rows of two features in one table mean the same only when they agree.
// Empty: nobody, the keys are hashes.
std::string numbered_by(const JobConfig& job, const FeatureConfig& feature) {
  const std::vector<TransformStep>& chain = feature.transform;
  const auto vocab = std::find_if(chain.begin(), chain.end(),
                                  [](const TransformStep& step) { return step.name == "vocab"; });
  const std::string& column = feature.columns.empty() ? feature.name : feature.columns[0];
  const bool is_id = job.task != Task::kCtr && (column == job.data.user || column == job.data.item);
  const bool plain_vocab = chain.size() == 1 && vocab == chain.begin() && vocab->options.empty();
  if (is_id && (vocab == chain.end() || plain_vocab)) return "the ids of " + column;
  if (vocab == chain.end()) return "";
  std::string options;
  for (const auto& [name, value] : vocab->options) options += fmt::format(", {} {}", name, value);
  const bool of_column = vocab == chain.begin();
  return fmt::format("the vocabulary of {}{}", of_column ? column : "feature " + feature.name, options);
}

void check_shared_tables(const JobConfig& job, ReadContext& context) {
  std::map<std::string, const FeatureConfig*> first;
  for (std::size_t i = 0; i < job.features.size(); ++i) {
    const FeatureConfig& feature = job.features[i];
    const auto [other, alone] = first.try_emplace(feature.table, &feature);
    if (alone || feature.table.empty() || feature.dense) continue;
    const std::string theirs = numbered_by(job, *other->second);
    const std::string own = numbered_by(job, feature);
    const auto words = [](const std::string& by) { return by.empty() ? "hashes" : by; };
    const std::string path = fmt::format("features[{}]", i);
    demand(
        own == theirs, context, path + ".table", {path + ".transform", path + ".columns"},
        fmt::format("features '{}' and '{}' share table {}, but the first has its keys from {}, the second "
                    "from {}: a row would mean two things. Give both the same first step, such as "
                    "`vocab` and `[vocab, {{history: {{n: 5}}}}]`, or hash both",
                    other->second->name, feature.name, feature.table, words(theirs), words(own)));
  }
}

// Vectors of a list laid side by side are read by layers alone, and there must be a number of them.
void check_apart(const JobConfig& job, const FeatureConfig& feature, const std::string& path,
                 ReadContext& context) {
  const bool list = std::any_of(feature.transform.begin(), feature.transform.end(), [](const auto& step) {
    return step.name == "split" || step.name == "history" || step.name == "ngrams";
  });
  if (!list || feature.pooling != Pooling::kNone) return;
  demand(
      feature.length > 0, context, path + ".length", {path + ".pooling"},
      fmt::format("feature {}: a list with `pooling: none` needs length, the vectors that are laid side by "
                  "side",
                  feature.name));
  const std::string& model = job.model.type;
  constexpr std::array<std::string_view, 5> kLayers = {"mlp", "wide_deep", "neumf", "dcn_v2", "finalmlp"};
  const bool layers = std::find(kLayers.begin(), kLayers.end(), model) != kLayers.end();
  demand(layers || model.empty(), context, path + ".pooling", {"model.type"},
         fmt::format("feature {}: model {} reads one vector a feature: a list needs pooling sum, mean or max",
                     feature.name, model));
}

// Whose events a history or a counter looks at.
std::string owner_of(const TransformStep& step) {
  const auto of = step.options.find("of");
  return step.name == "history" || of == step.options.end() ? "user" : of->second;
}

// A counter is taken at an event of the data. A negative or a candidate has none: it is given that of the
// positive beside it, so what is counted of the item would say which item that is.
std::string leak(const JobConfig& job, const FeatureConfig& feature) {
  if (job.task != Task::kRanking) return "";
  for (const TransformStep& step : feature.transform) {
    if (step.name != "counter" || owner_of(step) == "user") continue;
    return fmt::format(
        "a ranking job cannot count `of: {}`: negatives and candidates would carry the positive's count, "
        "which gives it away; count `of: user`, or use `task: ctr` or `task: rating`",
        owner_of(step));
  }
  return "";
}

// History and counters look back in time, so they need to know whose and when.
std::string missing_for_history(const JobConfig& job, const FeatureConfig& feature) {
  for (const TransformStep& step : feature.transform) {
    if (step.name != "history" && step.name != "counter") continue;
    if (job.data.time.empty()) return fmt::format("'{}' needs data.time", step.name);
    const std::string whose = owner_of(step);
    if (whose != "item" && job.data.user.empty()) return fmt::format("'{}' needs data.user", step.name);
    if (whose != "user" && job.data.item.empty()) return fmt::format("'{}' needs data.item", step.name);
  }
  return "";
}

}  // namespace

std::vector<std::string> known_columns(const DataConfig& data) {
  std::vector<std::string> columns;
  switch (data.format) {
    case DataFormat::kMovielens:
      if (!data.users.empty()) return {};
      columns = {"user", "item", "rating", "time", "title", "genres"};
      break;
    case DataFormat::kLibsvm:
    case DataFormat::kLibffm:
      columns = {"label", "features"};
      break;
    case DataFormat::kItemLists:
      if (!data.items.empty() || !data.users.empty()) return {};
      columns = {"user", "item", "time"};
      break;
    case DataFormat::kCriteo: {
      constexpr int kIntegers = 13, kCategories = 26;
      columns = {"label"};
      for (int i = 1; i <= kIntegers; ++i) columns.push_back(fmt::format("I{}", i));
      for (int i = 1; i <= kCategories; ++i) columns.push_back(fmt::format("C{}", i));
      break;
    }
    case DataFormat::kCsv:
    case DataFormat::kTsv:
      if (data.header || !data.items.empty() || !data.users.empty()) return {};
      columns = data.columns;
      break;
    case DataFormat::kJsonl:
      return {};
  }
  for (const CleanRule& rule : data.clean) {
    if (rule.indicator) columns.push_back(rule.column + "_missing");
  }
  return columns;
}

void check_data(const JobConfig& job, ReadContext& context) {
  const DataConfig& data = job.data;
  demand(!data.train.empty(), context, "data.train", {}, "data.train must name the training files");
  demand(!is_separated(data.format) || data.header || !data.columns.empty(), context, "data.columns",
         {"data.header", "data.format"}, "without a header data.columns must name the columns");
  demand(!is_separated(data.format) || !data.header || data.columns.empty(), context, "data.columns",
         {"data.header", "data.format"},
         "data.columns names the columns of files without a header: add `header: false` or leave it out");
  demand(!is_separated(data.format) || !data.delimiter.empty(), context, "data.delimiter", {"data.format"},
         "data.delimiter is empty");
  const bool pairs = job.task != Task::kCtr;
  const std::string why = fmt::format("`task: {}` needs", job.task == Task::kRanking ? "ranking" : "rating");
  demand(!pairs || !data.user.empty(), context, "data.user", {"task", "data.format"}, why + " data.user");
  demand(!pairs || !data.item.empty(), context, "data.item", {"task", "data.format"}, why + " data.item");
  demand(job.task == Task::kRanking || !data.label.empty(), context, "data.label", {"task", "data.format"},
         "data.label must name the label's column");
  demand(!data.positive_from || job.task == Task::kRanking, context, "data.positive_from", {"task"},
         "data.positive_from needs `task: ranking`");
  demand(!data.positive_from || !data.label.empty(), context, "data.positive_from", {"data.label"},
         "data.positive_from needs data.label");
  demand(data.test_candidates.empty() || job.task == Task::kRanking, context, "data.test_candidates",
         {"task"}, "data.test_candidates needs `task: ranking`");
  demand(data.label_positive.empty() || job.task == Task::kCtr, context, "data.label_positive", {"task"},
         "data.label_positive needs `task: ctr`");
  demand(data.item_columns.empty() || !data.items.empty(), context, "data.item_columns", {},
         "data.item_columns names the columns of data.items, which is not given");
  check_column(job, context, "data.label", data.label);
  check_column(job, context, "data.user", data.user);
  check_column(job, context, "data.item", data.item);
  check_column(job, context, "data.time", data.time);
  for (std::size_t i = 0; i < data.unique.size(); ++i) {
    check_column(job, context, fmt::format("data.unique[{}]", i), data.unique[i]);
  }
  check_clean(job, context);
  check_split(job, context);
}

// Whether that is what a model calls the weights beside a feature's vectors, and no feature's own table.
bool named_weights(const JobConfig& job, const std::string& name) {
  const auto own = [&](const FeatureConfig& feature) { return feature.table == name; };
  return (name.ends_with("_linear") || name.ends_with("_bias")) &&
         std::none_of(job.features.begin(), job.features.end(), own);
}

void check_features(const JobConfig& job, ReadContext& context) {
  const auto transforms = all_transforms();
  std::set<std::string> names;
  for (std::size_t i = 0; i < job.features.size(); ++i) {
    const FeatureConfig& feature = job.features[i];
    const std::string path = fmt::format("features[{}]", i);
    demand(!feature.name.empty(), context, path + ".name", {path + ".columns"}, "a feature needs a name");
    demand(feature.name.empty() || names.insert(feature.name).second, context, path + ".name", {},
           fmt::format("two features are named '{}'", feature.name));
    const bool is_id = feature.columns.size() == 1 && feature.transform.empty();
    const bool reserved =
        job.task != Task::kCtr && (feature.name == "user" || feature.name == "item") && !is_id;
    demand(!reserved, context, path + ".name", {path + ".transform", "task"},
           fmt::format("'{}' is the feature with the id itself: give this one another name", feature.name));
    for (const std::string& column : feature.columns) check_column(job, context, path + ".columns", column);
    const bool told =
        std::find(feature.columns.begin(), feature.columns.end(), job.data.label) != feature.columns.end();
    demand(!told || job.data.label.empty(), context, path + ".columns", {"data.label"},
           fmt::format("column {} is the label: as a feature it would tell the model the answer",
                       job.data.label));
    const std::string fault = chain_fault(job, transforms, feature);
    demand(fault.empty(), context, path + ".transform", {path + ".columns"}, fault);
    demand(feature.length == 0 || feature.pooling == Pooling::kNone, context, path + ".length",
           {path + ".pooling"}, "length needs `pooling: none`");
    check_apart(job, feature, path, context);
    const std::string leaks = leak(job, feature);
    demand(leaks.empty(), context, path + ".transform", {"task"}, leaks);
    const std::string missing = missing_for_history(job, feature);
    demand(missing.empty(), context, path + ".transform", {"data.user", "data.item", "data.time"}, missing);
  }
  check_shared_tables(job, context);
  const auto tables = known_tables(job);
  for (const auto& [name, table] : job.tables) {
    if (job.task == Task::kCtr && job.features.empty())
      break;  // every column is a feature: only the data knows
    const bool known = is_layer_table(name) || std::find(tables.begin(), tables.end(), name) != tables.end();
    demand(known, context, "tables." + name, {"features", "model.type"},
           fmt::format("no table '{}'{}", name, suggestion(name, tables)));
    const bool many = table.dim && is_layer_table(name);
    demand(!many, context, "tables." + name + ".dim", {}, "the model decides the size of a layer");
    const bool weights = table.dim && named_weights(job, name);
    demand(!weights, context, "tables." + name + ".dim", {}, name + " holds one weight a key");
  }
}

std::vector<std::string> known_tables(const JobConfig& job) {
  std::vector<std::string> tables = {"default"};
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(tables.begin(), tables.end(), name) == tables.end())
      tables.push_back(name);
  };
  if (job.task != Task::kCtr) {
    add("user");
    add("item");
  }
  for (const FeatureConfig& feature : job.features) add(feature.table);
  const std::size_t named = tables.size();
  for (std::size_t i = 1; i < named; ++i) {
    for (const std::string& suffix : table_suffixes()) tables.push_back(tables[i] + suffix);
  }
  return tables;
}

}  // namespace capstan
