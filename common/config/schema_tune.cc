// The section `tune`: what is searched, and how much of it is tried.
#include <cmath>

#include "common/config/codecs.h"
#include "common/config/schema.h"
#include "common/config/yaml_parse.h"

namespace capstan {
namespace {

struct Kind {
  RangeKind kind;
  std::string word;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kKinds = {{RangeKind::kChoices, "choices"},
                                           {RangeKind::kUniform, "uniform"},
                                           {RangeKind::kLogUniform, "log_uniform"},
                                           {RangeKind::kInt, "int"},
                                           {RangeKind::kLogInt, "log_int"}};
  return kKinds;
}

bool is_whole(RangeKind kind) {
  return kind == RangeKind::kInt || kind == RangeKind::kLogInt;
}
bool is_log(RangeKind kind) {
  return kind == RangeKind::kLogUniform || kind == RangeKind::kLogInt;
}

void read_choices(SearchRange& value, const YamlNode& node, const std::string& path, ReadContext& context) {
  if (!node.is_list() || node.items.empty()) {
    return wrong_type(node, path, "a list of choices, such as [16, 32, 64]", context);
  }
  for (const YamlNode& item : node.items) value.choices.push_back(emit_inline(item));
}

void read_bounds(SearchRange& value, const YamlNode& node, const std::string& path, ReadContext& context) {
  std::vector<double> bounds;
  if (node.is_list()) list(number<double>()).read(bounds, node, path, context);
  if (context.failed(path)) return;
  if (bounds.size() != 2) return wrong_type(node, path, "two bounds, such as [0.001, 0.1]", context);
  value.low = bounds[0];
  value.high = bounds[1];
  const bool whole = value.low == std::floor(value.low) && value.high == std::floor(value.high);
  if (value.low >= value.high) {
    context.fail(path, node.place, fmt::format("{}: the first bound must lie below the second", path));
  } else if (is_log(value.kind) && value.low <= 0.0) {
    context.fail(path, node.place, fmt::format("{}: a logarithm needs bounds above 0", path));
  } else if (is_whole(value.kind) && !whole) {
    context.fail(path, node.place, fmt::format("{}: the bounds must be whole numbers", path));
  }
}

// [16, 32]; {choices: [...]}, {uniform: [0, 1]} and so on.
Codec<SearchRange> search_range() {
  Codec<SearchRange> codec;
  std::vector<WordSpec> words;
  for (const Kind& each : kinds()) words.push_back({each.word, ""});
  codec.read = [words](SearchRange& value, const YamlNode& node, const std::string& path,
                       ReadContext& context) {
    if (node.is_list()) return read_choices(value, node, path, context);
    if (!node.is_map() || node.entries.size() != 1)
      return wrong_type(node, path, "a list of choices or one range, such as {uniform: [0, 1]}", context);
    const YamlNode::Entry& entry = node.entries.front();
    YamlNode name = YamlNode::of(entry.key);
    name.place = entry.place;
    const auto index = read_word(words, name, path, context);
    if (!index) return;
    value.kind = kinds()[*index].kind;
    const std::string here = join_path(path, entry.key);
    context.note(here, entry.value.place);
    if (value.kind == RangeKind::kChoices) return read_choices(value, entry.value, here, context);
    read_bounds(value, entry.value, here, context);
  };
  codec.write = [](const SearchRange& value) {
    YamlNode list = YamlNode::list();
    for (const auto& choice : value.choices) {
      std::vector<ConfigError> errors;
      list.items.push_back(parse_yaml(choice, "", errors));
    }
    YamlNode node = YamlNode::map();
    if (value.kind != RangeKind::kChoices) {
      list.items = {YamlNode::of(format_number(value.low)), YamlNode::of(format_number(value.high))};
    }
    for (const Kind& each : kinds()) {
      if (each.kind == value.kind) node.add(each.word, std::move(list));
    }
    return node;
  };
  return codec;
}

Codec<std::map<std::string, SearchRange>> space() {
  const auto range = search_range();
  Codec<std::map<std::string, SearchRange>> codec;
  codec.type = {"map of ranges", "", {}, nullptr};
  codec.read = [range](std::map<std::string, SearchRange>& value, const YamlNode& node,
                       const std::string& path, ReadContext& context) {
    if (!node.is_map()) {
      return wrong_type(node, path, "a map from settings to ranges, such as model.embedding_dim: [16, 32]",
                        context);
    }
    value.clear();
    for (const auto& entry : node.entries) {
      const std::string here = join_path(path, entry.key);
      context.note(here, entry.place);
      range.read(value[entry.key], entry.value, here, context);
    }
  };
  codec.write = [range](const std::map<std::string, SearchRange>& value) {
    YamlNode node = YamlNode::map();
    for (const auto& [path, each] : value) node.add(path, range.write(each));
    return node;
  };
  return codec;
}

}  // namespace

std::shared_ptr<const SectionSpec> tune_schema() {
  const auto count = integer<std::uint32_t>;
  return SectionBuilder<TuneConfig>()
      .key("space", &TuneConfig::space, space(),
           "From a setting's path below `model`, `optimizer`, `tables`, `features`, `train` or "
           "`data.negatives` to what may be tried: a list of choices, `{uniform: [0, 0.5]}`, `{log_uniform: "
           "[0.001, 0.1]}`, `{int: [1, 8]}` or `{log_int: [128, 4096]}`; both bounds count.")
      .default_note("none")
      .key("metric", &TuneConfig::metric, text(), "Read on validation only; `ndcg@10`.")
      .default_note("`train.early_stop_metric`; without it ndcg for ranking, auc for ctr, rmse for rating")
      .key("trials", &TuneConfig::trials, count(between(1, 100000)),
           "Settings that are drawn; a space of fewer is tried out in full.")
      .key("eta", &TuneConfig::eta, count(between(2, 100)),
           "The best one of so many trials goes on, to so many times the passes.")
      .key("min_passes", &TuneConfig::min_passes, count(between(1, 100000)),
           "No trial is judged after fewer passes; `train.passes` is the most that any gets.")
      .key("parallel", &TuneConfig::parallel, count(between(1, 1000)),
           "Trials at a time, each a cluster of its own.")
      .key("seed", &TuneConfig::seed, integer<std::uint64_t>(), "Fixes what is drawn.")
      .build();
}

}  // namespace capstan
