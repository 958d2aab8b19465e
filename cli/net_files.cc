#include "cli/net_files.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>

#include "cli/feature_arrays.h"
#include "cli/net_examples.h"
#include "cli/table_files.h"
#include "common/config/names.h"
#include "worker/loss/loss.h"
#include "worker/onnx/versions.h"

namespace capstan {
namespace {

namespace json = boost::json;

constexpr int kFormat = 1;

std::string_view to_word(Pooling pooling) {
  switch (pooling) {
    case Pooling::kNone:
      return "none";
    case Pooling::kSum:
      return "sum";
    case Pooling::kMean:
      return "mean";
    case Pooling::kMax:
      break;
  }
  return "max";
}

std::string_view to_word(FieldSource source) {
  if (source == FieldSource::kEvent) return "event";
  return source == FieldSource::kUser ? "user" : "item";
}

// Whose feature it is, and how the job makes it unless it leaves that to Capstan.
void add_origin(const JobConfig& job, const FieldInfo& field, json::object& to) {
  to["source"] = to_word(field.source);
  const auto found = std::find_if(job.features.begin(), job.features.end(),
                                  [&](const FeatureConfig& each) { return each.name == field.name; });
  if (found == job.features.end()) return;
  to["columns"] = json::value_from(found->columns);
  json::array chain;
  for (const TransformStep& step : found->transform) {
    json::object link = {{"name", step.name}};
    if (!step.options.empty()) link["options"] = json::value_from(step.options);
    chain.push_back(std::move(link));
  }
  to["transform"] = std::move(chain);
}

json::object described(const JobConfig& job, const ModelTables& tables, const NetInput& input) {
  json::object object = {{"name", input.name}, {"width", input.width}};
  if (!input.pooled) {
    json::array features;
    for (std::uint32_t f = 0; f < tables.num_fields(); ++f) {
      if (!tables.field(f).dense) continue;
      json::object feature = {{"feature", tables.field(f).name}};
      add_origin(job, tables.field(f), feature);
      features.push_back(std::move(feature));
    }
    object["numbers"] = std::move(features);
    return object;
  }
  const FieldInfo& field = tables.field(input.pooled->field);
  const TableSpec& table = tables.all()[input.pooled->table].spec;
  object["feature"] = field.name;
  object["table"] = fmt::format("{}/{}.npz", kTablesFolder, file_name(table.name));
  object["dim"] = table.dim;
  object["pooling"] = to_word(input.pooled->pooling);
  if (input.pooled->pooling == Pooling::kNone) object["length"] = input.pooled->length;
  object["list"] = field.list;
  add_origin(job, field, object);
  return object;
}

// A member a line, and an element a line of the arrays in it, for people.
std::string in_lines(const json::object& object) {
  std::string text = "{";
  for (const auto& [name, value] : object) {
    text += fmt::format("{}\n  {}: ", text == "{" ? "" : ",", json::serialize(name));
    const auto* array = value.if_array();
    if (array == nullptr) {
      text += json::serialize(value);
      continue;
    }
    text += "[";
    for (const json::value& element : *array) {
      text += fmt::format("{}\n    {}", &element == array->begin() ? "" : ",", json::serialize(element));
    }
    text += "\n  ]";
  }
  return text + "\n}\n";
}

// Of each dense table all rows, in key order; the others stay empty.
std::vector<std::vector<float>> dense_rows(CheckpointTables& tables, const ModelTables& declared) {
  std::vector<std::vector<float>> rows;
  for (std::uint32_t t = 0; t < declared.all().size(); ++t) {
    StepTable table;
    table.table = t;
    const TableSpec& spec = declared.all()[t].spec;
    if (spec.dense) {
      table.keys.resize(spec.num_rows);
      std::iota(table.keys.begin(), table.keys.end(), Key{0});
      tables.pull(table);
    }
    rows.push_back(std::move(table.rows));
  }
  return rows;
}

Status write_text(Storage& files, const std::string& path, const std::string& text) {
  return files.publish(path, std::as_bytes(std::span(text)));
}

}  // namespace

Result<NetFiles> NetFiles::create(OfflineJob& job) {
  NetFiles files(job);
  const JobConfig& config = job.program->job();
  const Model& model = job.program->model();
  const auto rows = dense_rows(*job.tables, model.tables());
  std::vector<ConstMatrix> matrices;
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const std::uint32_t dim = model.tables().all()[t].spec.dim;
    matrices.push_back({rows[t].data(), static_cast<std::uint32_t>(rows[t].size() / dim), dim});
  }
  // A ranking compares scores; nothing makes them chances.
  files.probability_ = config.task != Task::kRanking && loss_of(config).probability;
  CAPSTAN_ASSIGN(files.net_, write_net(config.name, model, matrices, files.probability_));
  return files;
}

std::string NetFiles::features_json() const {
  const JobConfig& job = job_.program->job();
  const ModelTables& tables = job_.program->model().tables();
  json::array inputs;
  for (const NetInput& input : net_.inputs) inputs.push_back(described(job, tables, input));
  json::array outputs = {kScoreOutput};
  if (probability_) outputs.emplace_back(kProbabilityOutput);
  return in_lines({{"format", kFormat},
                   {"job", job.name},
                   {"task", capstan::to_word(job.task)},
                   {"model", job.model.type},
                   {"checkpoint", job_.tables->directory()},
                   {"opset", kOnnxOpset},
                   {"ir_version", kOnnxIrVersion},
                   {"keys_without_a_row", "zeros"},
                   {"inputs", std::move(inputs)},
                   {"outputs", std::move(outputs)}});
}

Result<std::string> NetFiles::write(const std::string& folder, std::uint32_t examples) const {
  std::string said =
      fmt::format("{}/model.onnx: {} inputs, {} bytes\n", folder, net_.inputs.size(), net_.bytes.size());
  CAPSTAN_TRY(write_text(job_.files, folder + "/model.onnx", net_.bytes));
  CAPSTAN_ASSIGN(const std::string sides, write_sides(job_, folder));
  said += sides;
  if (examples > 0) {
    const std::string path = folder + "/examples.npz";
    CAPSTAN_ASSIGN(const NetExamples taken, NetExamples::take(job_, examples));
    CAPSTAN_TRY(taken.write(job_.files, path, probability_));
    said += fmt::format("{}: {}\n", path, taken.summary());
  }
  CAPSTAN_TRY(write_text(job_.files, folder + "/features.json", features_json()));
  return said + folder + "/features.json\n";
}

}  // namespace capstan
