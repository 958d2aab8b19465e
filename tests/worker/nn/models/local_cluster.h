// A stand-in for servers: rows in maps, Adagrad, so that models can be trained within one test.
#pragma once

#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "common/rng.h"
#include "worker/models/backprop.h"
#include "worker/models/batch_builder.h"
#include "worker/models/registry.h"

namespace capstan {

inline FieldInfo make_field(const std::string& name, FieldSource source, bool list = false,
                            bool dense = false) {
  FieldInfo field;
  field.name = name;
  field.table = name;
  field.source = source;
  field.list = list;
  field.dense = dense;
  field.pooling = list ? Pooling::kMean : Pooling::kSum;
  return field;
}

// One example: the keys of each sparse field and the value of each dense one.
struct TestExample {
  std::vector<std::vector<Key>> keys;  // by field; empty for dense fields
  std::vector<float> dense;
  float label = 0.0F;
};

class LocalCluster {
 public:
  explicit LocalCluster(const ModelTables& tables) : tables_(tables), rows_(tables.all().size()) {}

  void pull(std::vector<StepTable>& step) {
    for (StepTable& table : step) {
      table.rows.clear();
      for (const Key key : table.keys) {
        const auto& weights = row(table.table, key).weights;
        table.rows.insert(table.rows.end(), weights.begin(), weights.end());
      }
    }
  }

  void push(const std::vector<StepTable>& step, float learning_rate) {
    for (const StepTable& table : step) {
      const std::uint32_t dim = tables_.all()[table.table].spec.dim;
      for (std::size_t i = 0; i < table.keys.size(); ++i) {
        Row& target = row(table.table, table.keys[i]);
        for (std::uint32_t j = 0; j < dim; ++j) {
          const float gradient = table.gradients[i * dim + j];
          target.squares[j] += gradient * gradient;
          target.weights[j] -= learning_rate * gradient / (std::sqrt(target.squares[j]) + 1e-6F);
        }
      }
    }
  }

  float& weight(std::uint32_t table, Key key, std::uint32_t column) {
    return row(table, key).weights[column];
  }

 private:
  struct Row {
    std::vector<float> weights, squares;
  };

  Row& row(std::uint32_t table, Key key) {
    auto& found = rows_[table][key];
    const TableSpec& spec = tables_.all()[table].spec;
    if (!found.weights.empty()) return found;
    Rng rng(combine(spec.init.seed, key));
    found.squares.assign(spec.dim, 0.0F);
    for (std::uint32_t j = 0; j < spec.dim; ++j)
      found.weights.push_back(static_cast<float>(fresh(spec.init, key, rng)));
    return found;
  }
  static double fresh(const InitSpec& init, Key key, Rng& rng) {
    if (init.zero_from_key != 0 && key >= init.zero_from_key) return 0.0;
    const double fan = std::max(1U, init.fan_in);
    switch (init.kind) {
      case InitKind::kZero:
        return 0.0;
      case InitKind::kConstant:
        return static_cast<double>(init.scale);
      case InitKind::kUniform:
        return static_cast<double>(init.scale) * (2 * rng.uniform() - 1);
      case InitKind::kNormal:
        return static_cast<double>(init.scale) * rng.normal();
      case InitKind::kXavierUniform:
        return std::sqrt(6.0 / (fan + init.fan_out)) * (2 * rng.uniform() - 1);
      case InitKind::kHeNormal:
        return std::sqrt(2.0 / fan) * rng.normal();
    }
    return 0.0;
  }

  const ModelTables& tables_;
  std::vector<std::map<Key, Row>> rows_;
};

// Fills the builder from examples [begin, end), those of fields the model reads.
inline void fill(BatchBuilder& builder, const ModelTables& tables, const std::vector<TestExample>& examples) {
  BatchData& data = builder.data();
  data.size = static_cast<std::uint32_t>(examples.size());
  data.num_dense = tables.num_dense_fields();
  for (const TestExample& example : examples) {
    for (std::uint32_t field = 0; field < tables.num_fields(); ++field) {
      if (tables.key_set_of(field)) builder.add(field, example.keys[field], {});
    }
    data.dense.insert(data.dense.end(), example.dense.begin(), example.dense.end());
    data.labels.push_back(example.label);
    data.dropout_seeds.push_back(combine(1, data.labels.size()));
    data.items.push_back(static_cast<std::uint32_t>(
        example.keys.size() > 1 && !example.keys[1].empty() ? example.keys[1][0] : 0));
  }
}

}  // namespace capstan
