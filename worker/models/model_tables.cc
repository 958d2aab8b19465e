#include "worker/models/model_tables.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "common/config/table_settings.h"
#include "common/hash.h"

namespace capstan {

std::uint32_t ModelTables::embedding(std::uint32_t field, std::string_view suffix) {
  const std::string& base = fields_[field].table;
  std::uint32_t dim = job_.model.embedding_dim;
  for (const TableConfig* config : settings(base + std::string(suffix), base)) {
    if (config->dim) dim = *config->dim;
  }
  return sparse(field, suffix, dim, InitKind::kNormal);
}

std::uint32_t ModelTables::weights(std::uint32_t field, std::string_view suffix) {
  return sparse(field, suffix, 1, InitKind::kZero);
}

std::uint32_t ModelTables::sparse(std::uint32_t field, std::string_view suffix, std::uint32_t dim,
                                  InitKind init) {
  const std::string& base = fields_[field].table;
  const std::string name = base + std::string(suffix);
  const auto known = std::find(key_sets_.begin(), key_sets_.end(), base);
  const auto key_set = static_cast<std::uint32_t>(known - key_sets_.begin());
  if (known == key_sets_.end()) key_sets_.push_back(base);
  key_set_of_[field] = key_set;
  TableSpec spec;
  spec.name = name;
  spec.dim = dim;
  spec.init.kind = init;
  if (const auto found = find(spec, key_set)) return *found;
  spec.optimizer = job_.sparse_optimizer;
  for (const TableConfig* config : settings(name, base)) {
    apply_settings(*config, spec);
    // A general initialiser is meant for embeddings; weights start at zero unless they are named themselves.
    const auto own = job_.tables.find(name);
    const bool named = own != job_.tables.end() && own->second.init.has_value();
    if (init == InitKind::kZero && !named) spec.init = {.kind = InitKind::kZero};
  }
  return add(std::move(spec), key_set);
}

std::uint32_t ModelTables::layer(std::string_view name, std::uint32_t in, std::uint32_t out, bool relu) {
  return layer(name, in, out, InitSpec{.kind = relu ? InitKind::kHeNormal : InitKind::kXavierUniform});
}

std::uint32_t ModelTables::layer(std::string_view name, std::uint32_t in, std::uint32_t out, InitSpec init) {
  init.fan_in = in;
  init.fan_out = out;
  init.zero_from_key = in;
  if (in == 0) init = {.kind = InitKind::kZero};
  return dense(name, in + 1, out, init);
}

std::uint32_t ModelTables::dense(std::string_view name, std::uint32_t rows, std::uint32_t dim,
                                 InitSpec init) {
  TableSpec spec;
  spec.name = name;
  spec.dim = dim;
  spec.dense = true;
  spec.num_rows = rows;
  if (const auto found = find(spec, 0)) return *found;
  spec.init = init;
  spec.optimizer = job_.dense_optimizer;
  const auto own = job_.tables.find(spec.name);
  if (own != job_.tables.end()) {
    if (own->second.init) {
      spec.init = *own->second.init;
      spec.init.fan_in = init.fan_in;
      spec.init.fan_out = init.fan_out;
      spec.init.zero_from_key = init.zero_from_key;
    }
    if (own->second.optimizer) spec.optimizer = *own->second.optimizer;
  }
  return add(std::move(spec), 0);
}

std::uint32_t ModelTables::add(TableSpec spec, std::uint32_t key_set) {
  spec.init.seed = combine(job_.seed, hash_string(spec.name));
  tables_.push_back({std::move(spec), key_set});
  return static_cast<std::uint32_t>(tables_.size() - 1);
}

std::optional<std::uint32_t> ModelTables::find(const TableSpec& wanted, std::uint32_t key_set) {
  for (std::uint32_t t = 0; t < tables_.size(); ++t) {
    const TableSpec& spec = tables_[t].spec;
    if (spec.name != wanted.name) continue;
    if (spec.dense == wanted.dense && spec.dim == wanted.dim && tables_[t].key_set == key_set) return t;
    apart_ = make_error(
        ErrorCode::kInvalid,
        fmt::format("two parts of model {} would have a table '{}': give the feature another name or table",
                    job_.model.type, spec.name));
  }
  return std::nullopt;
}

// From the most general to the most particular.
std::vector<const TableConfig*> ModelTables::settings(const std::string& name,
                                                      const std::string& base) const {
  std::vector<const TableConfig*> result;
  for (const std::string& key : {std::string("default"), base, name}) {
    const auto found = job_.tables.find(key);
    if (found == job_.tables.end()) continue;
    if (result.empty() || result.back() != &found->second) result.push_back(&found->second);
  }
  return result;
}

std::vector<std::uint32_t> ModelTables::sparse_fields() const {
  std::vector<std::uint32_t> result;
  for (std::uint32_t f = 0; f < fields_.size(); ++f) {
    if (!fields_[f].dense) result.push_back(f);
  }
  return result;
}

std::vector<std::uint32_t> ModelTables::sparse_fields(FieldSource source) const {
  std::vector<std::uint32_t> result = sparse_fields();
  std::erase_if(result, [&](std::uint32_t f) { return fields_[f].source != source; });
  return result;
}

std::uint32_t ModelTables::read_dense_fields() {
  reads_numbers_ = true;
  return num_dense_fields();
}

std::uint32_t ModelTables::num_dense_fields() const {
  return static_cast<std::uint32_t>(
      std::count_if(fields_.begin(), fields_.end(), [](const auto& f) { return f.dense; }));
}

void ModelTables::read_sequence() {
  const auto items = sparse_fields(FieldSource::kItem);
  const auto id = std::find_if(items.begin(), items.end(), [&](std::uint32_t f) { return !fields_[f].list; });
  if (id == items.end()) return;
  for (const std::uint32_t f : sparse_fields()) {
    const FieldInfo& field = fields_[f];
    if (!field.list || field.source != FieldSource::kEvent || field.table != fields_[*id].table) continue;
    sequence_ = {.list = f, .items = *id};
    embedding(f, "");
    return;
  }
}

std::vector<std::string> ModelTables::unread() const {
  std::vector<std::string> names;
  for (std::uint32_t f = 0; f < fields_.size(); ++f) {
    if (fields_[f].dense ? !reads_numbers_ : !key_set_of_[f].has_value()) names.push_back(fields_[f].name);
  }
  return names;
}

}  // namespace capstan
