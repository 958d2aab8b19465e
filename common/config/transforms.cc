#include "common/config/transforms.h"

#include <algorithm>

namespace capstan {
namespace {

using Output = TransformOutput;

TransformOption buckets() {
  return {"buckets", OptionType::kInteger, "", "Keys are taken modulo this; not given: any 64-bit key.",
          at_least(2)};
}

std::vector<TransformInfo> key_transforms() {
  return {
      {"vocab",
       Output::kKeys,
       "Numbers the values seen in train; key 0 is all others.",
       {{"min_count", OptionType::kInteger, "1", "Rarer values get no number.", between(1, 1e9)}}},
      {"hash",
       Output::kKeys,
       "Hashes `column=value`; needs no pass over the data.",
       {buckets(),
        {"name", OptionType::kText, "", "Stands for the column's name; empty: the value alone is hashed."}}},
      {"bucketise",
       Output::kKeys,
       "The interval that a number falls in; key 0 is a missing value.",
       {{"boundaries", OptionType::kNumbers, "", "Where the intervals meet, rising."},
        {"quantiles", OptionType::kInteger, "10", "As many equally filled intervals, fitted on train.",
         between(2, 1e6)}}},
      {"cross", Output::kKeys, "The combination of all the feature's columns, hashed.", {buckets()}},
      {"weighted",
       Output::kKeys,
       "`index:value ...`, the columns of libsvm and libffm: keys with weights.",
       {buckets()}},
  };
}

std::vector<TransformInfo> list_transforms() {
  return {
      {"split",
       Output::kKeyList,
       "Cuts text into a list of words (multi-hot).",
       {{"separator", OptionType::kText, "|", "What stands between the words."}}},
      {"ngrams",
       Output::kKeyList,
       "Hashed runs of words or letters of a text.",
       {{"of", OptionType::kWord, "words", "What a run is made of.", {}, {"words", "chars"}},
        {"min", OptionType::kInteger, "1; chars 3", "The shortest run.", between(1, 100)},
        {"max", OptionType::kInteger, "2; chars 3", "The longest run.", between(1, 100)},
        buckets(),
        {"idf", OptionType::kFlag, "false", "Weighs each by its rarity in train."}}},
      {"history",
       Output::kKeyList,
       "The user's earlier values of the column, oldest first; events of equal time do not see each other.",
       {{"n", OptionType::kInteger, "50", "The longest list.", between(1, 1e6)}}},
  };
}

std::vector<TransformInfo> number_transforms() {
  return {
      {"log", Output::kNumber, "sign(x) * ln(1 + abs(x)).", {}},
      {"zscore", Output::kNumber, "Minus the mean, over the deviation, both fitted on train.", {}},
      {"minmax", Output::kNumber, "To 0..1 by the least and largest value in train.", {}},
      {"counter",
       Output::kNumber,
       "Interactions before this one in time, never using the future, as ln(1 + count). A ranking job counts "
       "only `of: user`: its negatives have no event of their own whose item could be counted.",
       {{"of", OptionType::kWord, "user", "Whose.", {}, {"user", "item", "pair"}},
        {"raw", OptionType::kFlag, "false", "Gives the count itself."}}},
  };
}

std::string read_numbers(const YamlNode& node, const std::string& path, ReadContext& context) {
  std::vector<std::string> parts;
  if (node.is_scalar()) {
    for (const auto part : split_text(node.scalar, ",")) parts.emplace_back(trim(part));
  } else {
    for (const YamlNode& item : node.items) parts.push_back(item.scalar);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parse_finite_double(parts[i])) continue;
    wrong_type(node.is_list() ? node.items[i] : node, path, "a list of numbers", context);
    return "";
  }
  if (parts.empty()) wrong_type(node, path, "a list of numbers", context);
  return join(parts, ",");
}

void read_option(const TransformOption& option, const YamlNode& node, const std::string& path,
                 TransformStep& step, ReadContext& context) {
  const auto keep = [&](const auto& codec, auto value) {
    codec.read(value, node, path, context);
    if (!context.failed(path)) step.options[option.name] = codec.write(value).scalar;
  };
  switch (option.type) {
    case OptionType::kInteger:
      return keep(integer<std::uint64_t>(option.range), std::uint64_t{0});
    case OptionType::kNumber:
      return keep(number<double>(option.range), 0.0);
    case OptionType::kText:
      return keep(text(), std::string());
    case OptionType::kFlag:
      return keep(boolean(), false);
    case OptionType::kWord: {
      std::vector<WordSpec> words;
      for (const auto& one : option.words) words.push_back({one, ""});
      return keep(name_of(words), std::string());
    }
    case OptionType::kNumbers:
      break;
  }
  const std::string numbers = read_numbers(node, path, context);
  if (!numbers.empty()) step.options[option.name] = numbers;
}

// Fills `step` from `vocab` or `{vocab: {min_count: 5}}`.
void read_step(const std::vector<TransformInfo>& all, const YamlNode& node, const std::string& path,
               TransformStep& step, ReadContext& context) {
  const bool one_entry = node.is_map() && node.entries.size() == 1;
  if (!node.is_scalar() && !one_entry) {
    return wrong_type(node, path, "a transform: `vocab` or `{vocab: {min_count: 5}}`", context);
  }
  step.name = node.is_scalar() ? node.scalar : node.entries[0].key;
  const TransformInfo* info = find_transform(all, step.name);
  if (info == nullptr) {
    std::vector<std::string> names;
    for (const auto& transform : all) names.push_back(transform.name);
    context.fail(path, node.is_scalar() ? node.place : node.entries[0].place,
                 fmt::format("unknown transform '{}'{}", step.name, suggestion(step.name, names)));
    return;
  }
  if (node.is_scalar() || node.entries[0].value.is_null()) return;
  const YamlNode& options = node.entries[0].value;
  if (!options.is_map())
    return wrong_type(options, path, "a transform with its options as `key: value`", context);
  for (const auto& [key, place, value] : options.entries) {
    const auto option = std::find_if(info->options.begin(), info->options.end(),
                                     [&, name = key](const TransformOption& o) { return o.name == name; });
    const std::string here = join_path(path, key);
    if (option == info->options.end()) {
      std::vector<std::string> names;
      for (const auto& one : info->options) names.push_back(one.name);
      const std::string hint = names.empty() ? " (it has no options)" : suggestion(key, names);
      context.fail(here, place, fmt::format("unknown option '{}' of {}{}", key, step.name, hint));
      continue;
    }
    context.note(here, value.place);
    read_option(*option, value, here, step, context);
  }
}

YamlNode write_step(const TransformStep& step) {
  if (step.options.empty()) return YamlNode::of(step.name);
  YamlNode options = YamlNode::map();
  for (const auto& [name, value] : step.options) options.add(name, YamlNode::of(value));
  YamlNode node = YamlNode::map();
  node.add(step.name, std::move(options));
  return node;
}

}  // namespace

std::vector<TransformInfo> all_transforms() {
  std::vector<TransformInfo> all = key_transforms();
  for (auto& more : list_transforms()) all.push_back(std::move(more));
  for (auto& more : number_transforms()) all.push_back(std::move(more));
  return all;
}

const TransformInfo* find_transform(const std::vector<TransformInfo>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const TransformInfo& t) { return t.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Codec<std::vector<TransformStep>> transform_chain() {
  Codec<std::vector<TransformStep>> codec;
  codec.type = {"transform or list of transforms", "", {}, nullptr};
  codec.read = [all = all_transforms()](std::vector<TransformStep>& value, const YamlNode& node,
                                        const std::string& path, ReadContext& context) {
    value.clear();
    const std::vector<YamlNode> one = {node};
    const auto& items = node.is_list() ? node.items : one;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string here = node.is_list() ? join_path(path, i) : path;
      TransformStep step;
      read_step(all, items[i], here, step, context);
      value.push_back(std::move(step));
    }
  };
  codec.write = [](const std::vector<TransformStep>& value) {
    YamlNode node = YamlNode::list();
    for (const auto& step : value) node.items.push_back(write_step(step));
    return node;
  };
  return codec;
}

}  // namespace capstan
