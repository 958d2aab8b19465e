// `capstan export --onnx` of a finished run. What ONNX's own tools say of nets is in tests/worker/onnx, and
// scripts/onnx_check.sh runs them elsewhere.
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/e2e/scene.h"
#include "tests/npz_file.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ExportNet : public Scene {
 protected:
  void train() {
    const Outcome trained =
        run({"run", ratings_job("{passes: 2, batch_size: 64}", "checkpoint: {path: " + path("kept") + "}")});
    ASSERT_EQ(trained.code, 0) << trained.err << trained.out;
  }
  // The rows of a table by key.
  std::map<std::uint64_t, std::vector<float>> rows(const std::string& file) const {
    const std::string zip = text_of(path(file));
    const auto keys = array_in<std::uint64_t>(zip, "keys");
    const auto weights = array_in<float>(zip, "weights");
    const std::size_t dim = keys.empty() ? 0 : weights.size() / keys.size();
    std::map<std::uint64_t, std::vector<float>> rows;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(i * dim);
      rows[keys[i]].assign(begin, begin + static_cast<std::ptrdiff_t>(dim));
    }
    return rows;
  }
};

TEST_F(ExportNet, IsServedByWhoeverReadsTheFiles) {
  train();
  const Outcome plain = run({"export", path("kept"), "--out", path("tables")});
  ASSERT_EQ(plain.code, 0) << plain.err;
  const Outcome exported =
      run({"export", path("kept"), "--out", path("served"), "--onnx", "--examples", "50"});
  ASSERT_EQ(exported.code, 0) << exported.err;
  EXPECT_THAT(exported.out, AllOf(HasSubstr("served/model.onnx: 4 inputs"), HasSubstr("150 users"),
                                  HasSubstr("80 items"), HasSubstr("50 examples of test")));
  EXPECT_FALSE(std::filesystem::exists(path("served/tables/bias.npz"))) << "a layer of the net";
  EXPECT_GT(std::filesystem::file_size(path("served/model.onnx")), 100U);

  const auto features = json("served/features.json");
  EXPECT_EQ(at(features, "task"), "ranking");
  EXPECT_EQ(at(features, "outputs").as_array().size(), 1U) << "a ranking's scores are no chances";
  const auto inputs = at(features, "inputs").as_array();
  const auto& user = inputs.at(0).as_object();
  EXPECT_EQ(at(user, "table"), "tables/user.npz");
  EXPECT_EQ(at(user, "source"), "user");
  EXPECT_EQ(at(user, "pooling"), "sum");
  EXPECT_EQ(at(user, "dim"), 8);
  EXPECT_EQ(serialize(at(user, "columns")), R"(["user"])");

  // Matrix factorisation, from the files alone.
  const std::string examples = text_of(path("served/examples.npz"));
  const auto users = array_in<std::uint64_t>(examples, "user"),
             items = array_in<std::uint64_t>(examples, "item");
  const auto user_keys = array_in<std::uint64_t>(text_of(path("served/users.npz")), "user.keys");
  const auto item_keys = array_in<std::uint64_t>(text_of(path("served/items.npz")), "item.keys");
  const auto scores = array_in<float>(examples, "score");
  auto of_users = rows("served/tables/user.npz"), of_items = rows("served/tables/item.npz");
  auto user_bias = rows("served/tables/user_bias.npz"), item_bias = rows("served/tables/item_bias.npz");
  const float bias = rows("tables/bias.npz").at(0).at(0);
  ASSERT_EQ(scores.size(), 50U);
  EXPECT_EQ(array_in<std::uint64_t>(examples, "user.keys").at(0), user_keys.at(users.at(0)));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::uint64_t u = user_keys.at(users.at(i)), v = item_keys.at(items.at(i));
    for (auto* table : {&of_users, &of_items}) (*table)[table == &of_users ? u : v].resize(8);
    for (auto* table : {&user_bias, &item_bias}) (*table)[table == &user_bias ? u : v].resize(1);
    double score = bias + user_bias[u][0] + item_bias[v][0];
    for (std::size_t d = 0; d < 8; ++d) score += double{of_users[u][d]} * of_items[v][d];
    EXPECT_NEAR(scores[i], score, 1e-5) << i;
  }
}

TEST_F(ExportNet, SaysWhatItLacks) {
  train();
  const Outcome both = run({"export", path("kept"), "--out", path("served"), "--onnx", "--format", "tsv"});
  EXPECT_EQ(both.code, 2);
  EXPECT_THAT(both.err, HasSubstr("--format excludes --onnx"));
  EXPECT_EQ(run({"export", path("kept"), "--out", path("served"), "--examples", "5"}).code, 2);

  std::ofstream(path("data/ratings.csv"), std::ios::app) << "1,1,5.0,1\n";
  const Outcome changed = run({"export", path("kept"), "--out", path("served"), "--onnx"});
  EXPECT_EQ(changed.code, 2);
  EXPECT_THAT(changed.err, HasSubstr("was trained on other data: the contents of its files changed"));
  std::filesystem::remove_all(path("data"));
  const Outcome gone = run({"export", path("kept"), "--out", path("served"), "--onnx"});
  EXPECT_NE(gone.code, 0);
  EXPECT_THAT(gone.err, HasSubstr("data"));
  EXPECT_FALSE(std::filesystem::exists(path("served")));
}

}  // namespace
}  // namespace capstan
