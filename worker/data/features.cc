#include "worker/data/features.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "common/parallel.h"
#include "common/text.h"
#include "worker/data/default_features.h"
#include "worker/data/transforms/registry.h"

namespace capstan {
namespace {

using Texts = std::vector<std::string_view>;

// The columns that belong to one source, and what may be fitted on it.
struct SourceView {
  FieldSource source = FieldSource::kEvent;
  const RawTable* table = nullptr;        // null: only the id column
  std::vector<std::uint64_t> table_rows;  // side tables: the row of each user or item, or kNoRow
  const IdIndex* ids = nullptr;           // side tables
  std::string id_column;
  std::vector<std::uint64_t> train;
};

constexpr std::uint64_t kNoRow = ~std::uint64_t{0};

bool has_column(const SourceView& view, const std::string& name) {
  if (view.ids != nullptr && name == view.id_column) return true;
  return view.table != nullptr && view.table->find(name).has_value();
}

Texts column_texts(const SourceView& view, const std::string& name) {
  if (view.ids != nullptr && name == view.id_column)
    return {view.ids->names().begin(), view.ids->names().end()};
  const TextColumn& column = view.table->columns[*view.table->find(name)];
  Texts texts;
  if (view.ids == nullptr) {
    texts.reserve(column.size());
    for (std::uint64_t row = 0; row < column.size(); ++row) texts.push_back(column[row]);
    return texts;
  }
  for (const std::uint64_t row : view.table_rows)
    texts.push_back(row == kNoRow ? std::string_view() : column[row]);
  return texts;
}

SourceView event_view(const Sources& sources, const Events& events) {
  SourceView view;
  view.table = &sources.events;
  for (std::uint64_t row = 0; row < events.rows(); ++row) {
    if (events.parts[row] == Part::kTrain) view.train.push_back(row);
  }
  return view;
}

SourceView side_view(FieldSource source, const std::optional<RawTable>& table, const std::string& key,
                     const IdIndex& ids, std::string id_column, std::span<const std::uint32_t> of_event,
                     const SourceView& events) {
  SourceView view;
  view.source = source;
  view.ids = &ids;
  view.id_column = std::move(id_column);
  std::set<std::uint32_t> trained;
  for (const std::uint64_t row : events.train) trained.insert(of_event[row]);
  view.train.assign(trained.begin(), trained.end());
  if (!table) return view;
  view.table = &*table;
  view.table_rows.assign(ids.size(), kNoRow);
  const TextColumn& keys = table->columns[*table->find(key)];
  for (std::uint64_t row = 0; row < keys.size(); ++row) {
    if (const std::uint32_t* index = ids.find(keys[row])) view.table_rows[*index] = row;
  }
  return view;
}

class FeatureBuilder {
 public:
  FeatureBuilder(const JobConfig& job, const Sources& sources, const Events& events)
      : job_(job), data_(sources.data), events_(events) {
    views_.push_back(event_view(sources, events));
    if (!events.items.empty()) {
      views_.push_back(side_view(FieldSource::kItem, sources.items, data_.item_key, events.item_ids,
                                 data_.item, events.items, views_[0]));
    }
    if (!events.users.empty()) {
      views_.push_back(side_view(FieldSource::kUser, sources.users, data_.user_key, events.user_ids,
                                 data_.user, events.users, views_[0]));
    }
  }

  Result<BuiltField> build(const FeatureConfig& feature) const {
    if (feature.columns.empty()) return make_error(ErrorCode::kInvalid, "names no column");
    CAPSTAN_ASSIGN(const SourceView* view, find_view(feature));
    std::vector<FeatureValues> inputs;
    for (const auto& column : feature.columns) {
      CAPSTAN_ASSIGN(FeatureValues input, first_values(feature, *view, column));
      inputs.push_back(std::move(input));
    }
    std::vector<TransformStep> chain = feature.transform;
    if (chain.empty() && inputs.size() > 1) chain.push_back({"cross", {}});
    const TransformContext context = make_context(*view);
    for (const auto& step : chain) {
      CAPSTAN_ASSIGN(const auto transform, make_transform(step));
      CAPSTAN_TRY(transform->fit(inputs, context).wrap(step.name));
      CAPSTAN_ASSIGN(FeatureValues output, transform->apply(inputs, context).wrap(step.name));
      inputs.clear();
      inputs.push_back(std::move(output));
    }
    if (inputs[0].kind == ValueKind::kText) {
      CAPSTAN_ASSIGN(const auto hash, make_transform({"hash", {}}));
      CAPSTAN_TRY(hash->fit(inputs, context));
      CAPSTAN_ASSIGN(FeatureValues keys, hash->apply(inputs, context));
      inputs[0] = std::move(keys);
    }
    return finish(feature, *view, std::move(inputs[0]));
  }

 private:
  // Ids of a ranking or rating job are read per user or item, so that a negative has its own; what looks into
  // the past is read per event.
  bool per_event(const FeatureConfig& feature, const std::string& column) const {
    const bool is_id = column == data_.user || column == data_.item;
    if (!is_id || job_.task == Task::kCtr) return true;
    return !feature.transform.empty() && transform_input(feature.transform.front().name) == ValueKind::kKey;
  }

  Result<const SourceView*> find_view(const FeatureConfig& feature) const {
    const SourceView* found = nullptr;
    for (const auto& column : feature.columns) {
      const auto holds = [&](const SourceView& view) {
        if (view.source == FieldSource::kEvent && !per_event(feature, column)) return false;
        return has_column(view, column);
      };
      const auto view = std::find_if(views_.begin(), views_.end(), holds);
      if (view == views_.end()) return no_column(column);
      if (found != nullptr && found != &*view) {
        return make_error(ErrorCode::kInvalid,
                          "its columns come from different tables (events, items, users)");
      }
      found = &*view;
    }
    return found;
  }

  Error no_column(const std::string& column) const {
    std::vector<std::string> names;
    for (const auto& view : views_) {
      if (view.table != nullptr)
        names.insert(names.end(), view.table->names.begin(), view.table->names.end());
    }
    const std::string near = nearest_word(column, names);
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("no column '{}'{}; there are {}", column,
                    near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), join(names, ", ")));
  }

  bool is_number_column(const std::string& column) const {
    return std::any_of(data_.clean.begin(), data_.clean.end(), [&](const CleanRule& rule) {
      return rule.column == column && rule.type != ColumnType::kString;
    });
  }

  // The column as the chain's first transform wants it.
  Result<FeatureValues> first_values(const FeatureConfig& feature, const SourceView& view,
                                     const std::string& column) const {
    FeatureValues values;
    values.name = column;
    ValueKind kind = is_number_column(column) ? ValueKind::kNumber : ValueKind::kText;
    const bool is_id = !view.id_column.empty() && column == view.id_column;
    if (!feature.transform.empty()) kind = transform_input(feature.transform.front().name);
    if (feature.transform.empty() && is_id) kind = ValueKind::kKey;
    if (kind == ValueKind::kKey && index_values(view, column, values)) return values;
    values.text = column_texts(view, column);
    if (kind != ValueKind::kNumber) return values;
    values.kind = ValueKind::kNumber;
    for (const auto text : values.text) {
      const auto number = text.empty() ? kMissing : parse_double(text);
      if (!number) {
        return make_error(ErrorCode::kInvalid,
                          fmt::format("column '{}': '{}' is not a number; a rule in data.clean with "
                                      "`type: float` rejects such lines",
                                      column, text));
      }
      values.numbers.push_back(*number);
    }
    values.text = {};
    return values;
  }

  // Dense indices, when the column is one of ids and the job ranks or rates.
  bool index_values(const SourceView& view, const std::string& column, FeatureValues& values) const {
    if (job_.task == Task::kCtr) return false;
    const bool is_user = column == data_.user && !events_.users.empty();
    const bool is_item = column == data_.item && !events_.items.empty();
    if (!is_user && !is_item) return false;
    values.kind = ValueKind::kKey;
    values.cardinality = is_user ? events_.user_ids.size() : events_.item_ids.size();
    if (view.source == FieldSource::kEvent) {
      const auto& indices = is_user ? events_.users : events_.items;
      values.keys.assign(indices.begin(), indices.end());
    } else {
      values.keys.resize(values.cardinality);
      std::iota(values.keys.begin(), values.keys.end(), Key{0});
    }
    return true;
  }

  TransformContext make_context(const SourceView& view) const {
    TransformContext context;
    context.train = view.train;
    if (view.source != FieldSource::kEvent) return context;
    context.users = events_.users;
    context.items = events_.items;
    context.times = events_.times;
    return context;
  }

  static Result<BuiltField> finish(const FeatureConfig& feature, const SourceView& view,
                                   FeatureValues values) {
    BuiltField field;
    field.info.name = feature.name;
    field.info.table = feature.table.empty() ? feature.name : feature.table;
    field.info.source = view.source;
    field.info.pooling = feature.pooling;
    field.info.length = feature.length;
    field.info.list = values.is_list();
    field.info.cardinality = values.cardinality;
    if (values.kind == ValueKind::kKey) {
      field.column.keys = Buffer::adopt(std::move(values.keys));
      if (!values.weights.empty()) field.column.weights = Buffer::adopt(std::move(values.weights));
      if (!values.offsets.empty()) field.column.offsets = Buffer::adopt(std::move(values.offsets));
      return field;
    }
    if (values.is_list())
      return make_error(ErrorCode::kInvalid, "a list of numbers is not a feature; bucketise it");
    field.info.dense = true;
    std::vector<float> floats;
    floats.reserve(values.numbers.size());
    for (const double number : values.numbers) {
      const auto narrow = static_cast<float>(std::isnan(number) ? 0.0 : number);
      if (!std::isfinite(narrow)) {
        return make_error(ErrorCode::kInvalid,
                          fmt::format("the value {} is beyond a float's range; a rule in data.clean with "
                                      "`type: float` rejects such lines",
                                      number));
      }
      floats.push_back(narrow);
    }
    field.column.values = Buffer::adopt(std::move(floats));
    return field;
  }

  const JobConfig& job_;
  const DataConfig& data_;
  const Events& events_;
  std::vector<SourceView> views_;
};

}  // namespace

Result<std::vector<BuiltField>> build_features(const JobConfig& job, const Sources& sources,
                                               const Events& events) {
  const std::vector<FeatureConfig> features = effective_features(job, sources);
  const FeatureBuilder builder(job, sources, events);
  std::vector<std::optional<Result<BuiltField>>> built(features.size());
  parallel_for(features.size(), [&](std::size_t i) {
    built[i] = builder.build(features[i]).wrap(fmt::format("feature '{}'", features[i].name));
  });
  std::vector<BuiltField> fields;
  for (auto& field : built) {
    if (!field->ok()) return field->error();
    fields.push_back(std::move(*field).value());
  }
  return fields;
}

}  // namespace capstan
