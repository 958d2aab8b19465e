// Every model against an independent implementation: golden/record.py wrote what its scores and its rows
// after one step of SGD are.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/paths.h"
#include "tests/worker/nn/models/local_cluster.h"

namespace capstan {
namespace {

constexpr std::uint32_t kExamples = 6;
constexpr float kRate = 0.5F;
constexpr double kTolerance = 1e-5;

// As in record.py: FNV-1a of NAME/A/B, mixed.
std::uint32_t draw(const std::string& name, std::uint64_t a, std::uint64_t b) {
  std::uint32_t x = 2166136261U;
  for (const char c : fmt::format("{}/{}/{}", name, a, b))
    x = (x ^ static_cast<unsigned char>(c)) * 16777619U;
  x = (x ^ (x >> 16U)) * 0x45D9F3BU;
  return x ^ (x >> 16U);
}

float number(const std::string& name, std::uint64_t a, std::uint64_t b) {
  return static_cast<float>(static_cast<double>(draw(name, a, b) >> 8U) / 16777216.0 - 0.5);
}

std::vector<FieldInfo> golden_fields(bool sequences) {
  std::vector<FieldInfo> fields{make_field("user", FieldSource::kUser),
                                make_field("item", FieldSource::kItem),
                                make_field("genres", FieldSource::kItem, true),
                                make_field("hour", FieldSource::kEvent),
                                make_field("price", FieldSource::kItem, false, true),
                                make_field("age", FieldSource::kUser, false, true)};
  if (!sequences) return fields;
  fields.push_back(make_field("before", FieldSource::kEvent, true));
  fields.back().table = "item";
  return fields;
}

std::vector<TestExample> golden_examples() {
  std::vector<TestExample> examples;
  for (std::uint32_t i = 0; i < kExamples; ++i) {
    std::vector<Key> genres, before;
    for (std::uint32_t j = 0; j < draw("before", i, 0) % 5; ++j)
      before.push_back(draw("before", i, j + 1) % 5);
    for (std::uint32_t j = 0; j < draw("genres", i, 0) % 4; ++j)
      genres.push_back(draw("genres", i, j + 1) % 4);
    examples.push_back({{{draw("user", i, 0) % 4},
                         {draw("item", i, 0) % 5},
                         genres,
                         {draw("hour", i, 0) % 3},
                         {},
                         {},
                         before},
                        {2 * number("price", i, 0), 2 * number("age", i, 0)},
                        static_cast<float>(draw("label", i, 0) % 2)});
  }
  return examples;
}

struct GoldenCase {
  std::string name;  // golden/NAME.txt
  std::string type;
  std::function<void(ModelConfig&)> settings = [](ModelConfig&) {};
};

std::vector<GoldenCase> golden_cases() {
  return {
      {"lr", "lr"},
      {"fm", "fm"},
      {"wide_deep", "wide_deep"},
      {"deepfm", "deepfm"},
      {"mlp", "mlp"},
      {"mf", "mf"},
      {"neumf", "neumf"},
      {"dcn_v2", "dcn_v2"},
      {"dcn_v2_stacked", "dcn_v2", [](auto& m) { m.cross_structure = CrossStructure::kStacked; }},
      {"dcn_v2_mixture", "dcn_v2", [](auto& m) { m.cross_rank = 2, m.cross_experts = 3; }},
      {"dlrm", "dlrm"},
      {"finalmlp", "finalmlp"},
      {"finalmlp_without_gates", "finalmlp", [](auto& m) { m.use_gates = false; }},
      {"sasrec", "sequence", [](auto& m) { m.heads = 3; }},
      {"gru4rec", "sequence", [](auto& m) { m.encoder = SequenceEncoder::kGru4rec, m.heads = 1; }},
      {"caser", "sequence", [](auto& m) { m.encoder = SequenceEncoder::kCaser, m.heads = 1; }},
  };
}

JobConfig golden_job(const GoldenCase& golden) {
  JobConfig job;
  ModelConfig& model = job.model;
  model.type = golden.type;
  model.embedding_dim = 3;
  model.hidden = {5, 4};
  model.activation = Activation::kTanh;
  model.cross_layers = 2;
  model.bottom = {5};
  model.hidden2 = {4, 6};
  model.heads = 2;
  model.gate_hidden = {3};
  model.max_length = 6;
  model.window = 3;
  model.filters = model.vertical_filters = 2;
  golden.settings(model);
  return job;
}

// Lines of golden/NAME.txt: `scores` or `TABLE KEY`, then values.
std::map<std::string, std::vector<double>> read_golden(const std::string& name) {
  const auto path = source_dir() / "tests/worker/nn/models/golden" / (name + ".txt");
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path << " is not there: golden/record.py writes it";
  std::map<std::string, std::vector<double>> lines;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string row, key;
    words >> row;
    if (row != "scores" && words >> key) row += " " + key;
    for (double value = 0.0; words >> value;) lines[row].push_back(value);
  }
  return lines;
}

void expect_near(const std::string& what, std::span<const float> values, const std::vector<double>& golden) {
  ASSERT_EQ(values.size(), golden.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], golden[i], kTolerance) << what << " " << i;
}

void check_golden(const GoldenCase& golden) {
  const JobConfig job = golden_job(golden);
  const auto made = make_model(job, golden_fields(golden.type == "sequence"));
  ASSERT_TRUE(made.ok()) << made.error().message;
  const Model& model = **made;
  BatchBuilder builder(model.tables(), 8);
  fill(builder, model.tables(), golden_examples());
  auto step = builder.finish();
  const MicroBatch batch = builder.data().view();
  for (StepTable& table : step) {
    const TableSpec& spec = model.tables().all()[table.table].spec;
    for (const Key key : table.keys) {
      for (std::uint32_t j = 0; j < spec.dim; ++j) table.rows.push_back(number(spec.name, key, j));
    }
  }
  const auto lines = read_golden(golden.name);
  Backprop backprop(model, loss_of(job), 4);
  std::vector<float> scores(kExamples);
  backprop.score(batch, step, scores);
  ASSERT_TRUE(lines.contains("scores"));
  expect_near("scores", scores, lines.at("scores"));

  ASSERT_TRUE(backprop.train(batch, step, 1.0F / kExamples).ok());
  std::size_t rows = 0;
  for (StepTable& table : step) {
    const TableSpec& spec = model.tables().all()[table.table].spec;
    for (std::size_t i = 0; i < table.rows.size(); ++i) table.rows[i] -= kRate * table.gradients[i];
    for (std::size_t k = 0; k < table.keys.size(); ++k, ++rows) {
      const std::string row = fmt::format("{} {}", spec.name, table.keys[k]);
      ASSERT_TRUE(lines.contains(row)) << row;
      expect_near(row, std::span(table.rows).subspan(k * spec.dim, spec.dim), lines.at(row));
    }
  }
  EXPECT_EQ(rows + 1, lines.size());
}

TEST(Golden, ModelsAgreeWithAnIndependentImplementation) {
  for (const GoldenCase& golden : golden_cases()) {
    SCOPED_TRACE(golden.name);
    check_golden(golden);
  }
}

TEST(Golden, EveryModelHasACase) {
  std::set<std::string> covered, registered;
  for (const GoldenCase& golden : golden_cases()) covered.insert(golden.type);
  for (const ModelEntry& entry : all_models()) registered.insert(std::string(entry.type));
  EXPECT_EQ(covered, registered);
}

}  // namespace
}  // namespace capstan
