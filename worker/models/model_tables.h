// ModelTables: how a model declares its tables from the job and the fields of the data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"
#include "common/table_spec.h"
#include "worker/data/dataset.h"
#include "worker/nn/ops/embedding.h"

namespace capstan {

struct ModelTable {
  TableSpec spec;
  std::uint32_t key_set = 0;  // sparse: which of key_sets() it is pulled with
};

// An embedding table is named after FieldInfo::table with a suffix that says its part in the model: "user",
// "user_linear". All tables of one FieldInfo::table share a key set: a step pulls each of them with the same
// keys, in the same order, so that an entry has one position for all. Settings are looked up under the full
// name, then FieldInfo::table, then "default"; dense layers only under their own name. Their optimizer is the
// job's sparse or dense one unless overridden.
class ModelTables {
 public:
  ModelTables(const JobConfig& job, std::span<const FieldInfo> fields)
      : job_(job), fields_(fields.begin(), fields.end()), key_set_of_(fields.size()) {}

  // Each gives the table's index; one declared before is given again.
  std::uint32_t embedding(std::uint32_t field, std::string_view suffix);  // dim from the job
  std::uint32_t weights(std::uint32_t field, std::string_view suffix);    // dim 1, from 0
  std::uint32_t layer(std::string_view name, std::uint32_t in, std::uint32_t out,
                      bool relu);  // [in + 1, out]
  std::uint32_t layer(std::string_view name, std::uint32_t in, std::uint32_t out,
                      InitSpec init);  // the bias row starts at zero whatever `init` is
  std::uint32_t dense(std::string_view name, std::uint32_t rows, std::uint32_t dim, InitSpec init);

  // kInvalid when two parts of the model want a table of one name for themselves.
  const Status& apart() const { return apart_; }

  const std::vector<ModelTable>& all() const { return tables_; }
  const std::vector<std::string>& key_sets() const { return key_sets_; }  // values of FieldInfo::table
  // The key set of a field's entries; none for a field that the model does not read by key.
  std::optional<std::uint32_t> key_set_of(std::uint32_t field) const { return key_set_of_[field]; }
  std::uint32_t dim(std::uint32_t table) const { return tables_[table].spec.dim; }

  const JobConfig& job() const { return job_; }
  std::uint32_t num_fields() const { return static_cast<std::uint32_t>(fields_.size()); }
  const FieldInfo& field(std::uint32_t index) const { return fields_[index]; }
  std::vector<std::uint32_t> sparse_fields() const;
  std::vector<std::uint32_t> sparse_fields(FieldSource source) const;
  std::uint32_t num_dense_fields() const;
  std::uint32_t read_dense_fields();  // how many, for a model that takes them in
  // An event's list of the items that came before it, where a model reads it in order.
  struct SequenceFields {
    std::uint32_t list = 0, items = 0;  // fields of one table: the items before, and the item itself
  };
  void read_sequence();  // finds it; none when no list is in the table of the item's id
  const std::optional<SequenceFields>& sequence() const { return sequence_; }
  // Fields that the model does not look at: sparse ones without a table, numbers unless it takes them in.
  std::vector<std::string> unread() const;

 private:
  std::uint32_t sparse(std::uint32_t field, std::string_view suffix, std::uint32_t dim, InitKind init);
  std::uint32_t add(TableSpec spec, std::uint32_t key_set);
  // The table that was declared with this name before; none with another dim, kind or key set, and apart()
  // then says so.
  std::optional<std::uint32_t> find(const TableSpec& wanted, std::uint32_t key_set);
  std::vector<const TableConfig*> settings(const std::string& name, const std::string& base) const;

  JobConfig job_;
  std::vector<FieldInfo> fields_;
  std::vector<ModelTable> tables_;
  std::vector<std::string> key_sets_;
  std::vector<std::optional<std::uint32_t>> key_set_of_;  // by field
  Status apart_ = ok_status();
  bool reads_numbers_ = false;
  std::optional<SequenceFields> sequence_;
};

}  // namespace capstan
