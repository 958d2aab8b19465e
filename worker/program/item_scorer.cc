#include "worker/program/item_scorer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "worker/loss/loss.h"
#include "worker/models/batch_builder.h"
#include "worker/nn/gemm.h"
#include "worker/program/example_writer.h"

namespace capstan {
namespace {

constexpr std::uint32_t kUsersWithVectors = 256;
constexpr std::uint32_t kPairsEach = 1U << 17;

struct ScoreData final : StepData {
  BatchData left, right;        // users, or pairs; items, where they are needed
  std::size_t left_tables = 0;  // of step.tables, the first are the left batch's
};

}  // namespace

ItemScorer::ItemScorer(const JobConfig& job, const Dataset& data, const Examples& rows, const Model& model,
                       EventRow row)
    : job_(job),
      data_(data),
      rows_(rows),
      model_(model),
      vector_size_(model.vector_size()),
      users_each_(vector_size_ > 0 ? kUsersWithVectors
                                   : std::max(1U, kPairsEach / std::max(1U, data.num_items))),
      event_row_(row),
      user_rows_(data.num_users, 0),
      backprop_(model, loss_of(job), std::max(1024U, job.train.micro_batch)) {
  const auto before = [&](std::uint64_t a, std::uint64_t b) {
    if (rows.times.empty()) return a < b;
    return std::pair(rows.time(a), rows.item(a)) < std::pair(rows.time(b), rows.item(b));
  };
  std::vector<bool> seen(data.num_users, false);
  for (std::uint64_t at = 0; at < rows.size; ++at) {
    const std::uint32_t user = rows.user(at);
    if (!seen[user] || before(at, user_rows_[user]) == (row == EventRow::kFirst)) user_rows_[user] = at;
    seen[user] = true;
  }
}

void ItemScorer::build_all(std::span<const std::uint32_t> users, Step& step) const {
  if (!has_vectors()) {
    std::vector<std::uint32_t> left, right;
    for (const std::uint32_t user : users) {
      left.insert(left.end(), data_.num_items, user);
      for (std::uint32_t item = 0; item < data_.num_items; ++item) right.push_back(item);
    }
    build_pairs(left, right, step);
    return;
  }
  auto data = std::make_unique<ScoreData>();
  BatchBuilder left(model_.tables(), job_.cluster.num_shards);
  ExampleWriter left_writer(data_, rows_, model_.tables(), left);
  for (const std::uint32_t user : users)
    left_writer.add_user(user_rows_[user], user, event_row_ == EventRow::kLast);
  step.tables = left.finish();
  data->left_tables = step.tables.size();
  data->left = std::move(left.data());
  step.data = std::move(data);
  add_items(step);
}

void ItemScorer::build_item_vectors(Step& step) const {
  if (!has_vectors() && model_.taste_size() > 0) add_items(step);
}

void ItemScorer::add_items(Step& step) const {
  BatchBuilder right(model_.tables(), job_.cluster.num_shards);
  ExampleWriter right_writer(data_, rows_, model_.tables(), right);
  for (std::uint32_t item = 0; item < data_.num_items; ++item) right_writer.add_item(item);
  for (auto& table : right.finish()) step.tables.push_back(std::move(table));
  static_cast<ScoreData&>(*step.data).right = std::move(right.data());
}

void ItemScorer::build_pairs(std::span<const std::uint32_t> users, std::span<const std::uint32_t> items,
                             Step& step) const {
  auto data = std::make_unique<ScoreData>();
  BatchBuilder builder(model_.tables(), job_.cluster.num_shards);
  ExampleWriter writer(data_, rows_, model_.tables(), builder);
  builder.data().num_dense = model_.tables().num_dense_fields();
  for (std::size_t i = 0; i < users.size(); ++i) writer.add(user_rows_[users[i]], users[i], items[i]);
  step.tables = builder.finish();
  data->left_tables = step.tables.size();
  data->left = std::move(builder.data());
  step.data = std::move(data);
}

std::vector<float> ItemScorer::score_all(Step& step) {
  if (!has_vectors()) return score_pairs(step);
  return products(user_vectors(step), item_vectors(step));
}

std::vector<float> ItemScorer::products(std::vector<float> users, std::vector<float> items) const {
  const Matrix left{users.data(), static_cast<std::uint32_t>(users.size() / vector_size_), vector_size_};
  const Matrix right{items.data(), static_cast<std::uint32_t>(items.size() / vector_size_), vector_size_};
  std::vector<float> scores(std::size_t{left.rows} * right.rows);
  gemm(left, Transpose::kNo, right, Transpose::kYes, 0.0F, Matrix{scores.data(), left.rows, right.rows});
  return scores;
}

std::vector<float> ItemScorer::user_vectors(Step& step) {
  auto& data = static_cast<ScoreData&>(*step.data);
  std::vector<float> users(std::size_t{data.left.size} * vector_size_);
  backprop_.user_vectors(data.left.view(), std::span(step.tables).first(data.left_tables),
                         {users.data(), data.left.size, vector_size_});
  return users;
}

std::vector<float> ItemScorer::taste_scores(Step& step) {
  std::vector<float> users = user_vectors(step);
  for (std::size_t at = 0; at < users.size(); ++at) {
    if (at % vector_size_ >= model_.taste_size()) users[at] = 0.0F;
  }
  return products(std::move(users), item_vectors(step));
}

std::vector<float> ItemScorer::score_pairs(Step& step) {
  auto& data = static_cast<ScoreData&>(*step.data);
  std::vector<float> scores(data.left.size);
  const auto tables = std::span<const StepTable>(step.tables).first(data.left_tables);
  if (!scores.empty()) backprop_.score(data.left.view(), tables, scores);
  return scores;
}

std::vector<float> ItemScorer::item_vectors(Step& step) {
  const std::uint32_t width = model_.item_vector_size();
  if (width == 0) return {};
  auto& data = static_cast<ScoreData&>(*step.data);
  std::vector<float> items(std::size_t{data.right.size} * width);
  backprop_.item_vectors(data.right.view(), std::span(step.tables).subspan(data.left_tables),
                         {items.data(), data.right.size, width});
  return items;
}

}  // namespace capstan
