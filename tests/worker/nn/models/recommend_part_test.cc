// Reasons against the scores themselves, for models of every kind.
#include "worker/program/recommend_part.h"

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <map>

#include "tests/worker/nn/models/local_cluster.h"

namespace capstan {
namespace {

constexpr std::uint32_t kUsers = 6, kItems = 30, kEach = 8;

Buffer numbers(std::uint32_t count) {
  std::vector<Key> keys(count);
  std::iota(keys.begin(), keys.end(), Key{0});
  return Buffer::adopt(std::move(keys));
}

// Every user has the items user, user + 3, user + 6, ...
Dataset small_dataset() {
  Dataset data;
  data.task = Task::kRanking;
  data.fields = {make_field("user", FieldSource::kUser), make_field("item", FieldSource::kItem)};
  data.num_users = kUsers;
  data.num_items = kItems;
  data.user_fields.resize(2);
  data.item_fields.resize(2);
  data.user_fields[0].keys = numbers(kUsers);
  data.item_fields[1].keys = numbers(kItems);
  std::vector<std::uint32_t> users, items, counts(kItems, 0);
  std::vector<std::uint64_t> offsets = {0};
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    for (std::uint32_t i = 0; i < kEach; ++i) {
      users.push_back(user);
      items.push_back(user + 3 * i);
      ++counts[user + 3 * i];
    }
    offsets.push_back(items.size());
    data.user_names.push_back(fmt::format("u{}", user));
  }
  for (std::uint32_t item = 0; item < kItems; ++item) data.item_names.push_back(fmt::format("i{}", item));
  data.train.size = users.size();
  data.train.users = Buffer::adopt(std::move(users));
  data.train_items = {Buffer::adopt(std::move(offsets)), Buffer::adopt(std::vector(items))};
  data.train.items = Buffer::adopt(std::move(items));
  data.train.fields.resize(2);
  data.item_counts = Buffer::adopt(std::move(counts));
  return data;
}

JobConfig job_of(const std::string& type) {
  JobConfig job;
  job.task = Task::kRanking;
  job.model.type = type;
  job.model.embedding_dim = 4;
  job.tables["default"].init = InitSpec{.kind = InitKind::kNormal, .scale = 0.7F};
  return job;
}

// What is shown of the user.
boost::json::object shown(const JobConfig& job, const Dataset& data, const Model& model, std::uint32_t user,
                          std::vector<std::uint32_t> without) {
  RecommendPart part(job, data, model, {{user}, kItems, std::move(without)});
  LocalCluster cluster(model.tables());
  Step step;
  EXPECT_TRUE(part.build({}, 0, step).ok());
  cluster.pull(step.tables);
  const Status computed = part.compute({}, step);
  EXPECT_TRUE(computed.ok()) << computed.error().message;
  return boost::json::parse(std::string(part.finish({})->text())).as_array().at(0).as_object();
}

// What the user is recommended: the items by name.
std::map<std::string, boost::json::object> recommended(const JobConfig& job, const Dataset& data,
                                                       const Model& model, std::uint32_t user,
                                                       std::vector<std::uint32_t> without) {
  const auto json = shown(job, data, model, user, std::move(without));
  std::map<std::string, boost::json::object> items;
  for (const auto& item : json.at("items").as_array()) {
    items[std::string(item.at("item").as_string())] = item.as_object();
  }
  return items;
}

TEST(RecommendPart, AScoreFallsByWhatTheReasonSaysWhenTheItemIsRemoved) {
  const Dataset data = small_dataset();
  for (const std::string type : {"mf", "neumf"}) {
    const JobConfig job = job_of(type);
    const auto model = make_model(job, data.fields);
    ASSERT_TRUE(model.ok()) << model.error().message;
    std::size_t reasons = 0;  // a user whose scores go against the history has none
    for (std::uint32_t user = 0; user < kUsers; ++user) {
      const auto before = recommended(job, data, **model, user, {});
      EXPECT_EQ(before.size(), kItems - kEach);
      for (const auto& [name, item] : before) {
        for (const auto& reason : item.at("because").as_array()) {
          ++reasons;
          const std::string removed(reason.at("item").as_string());
          const auto after = recommended(job, data, **model, user,
                                         {static_cast<std::uint32_t>(std::stoul(removed.substr(1)))});
          const double fall =
              item.at("score").to_number<double>() - after.at(name).at("score").to_number<double>();
          EXPECT_GT(fall, 0.0) << type;
          EXPECT_NEAR(fall, reason.at("value").to_number<double>(), 1e-5) << type << " " << name;
          EXPECT_FALSE(after.contains(removed)) << "it is not recommended in return";
          for (const auto& other : after.at(name).at("because").as_array())
            EXPECT_NE(other.at("item"), boost::json::value(removed));
        }
      }
    }
    EXPECT_GT(reasons, 10U) << type;
  }
}

TEST(RecommendPart, WhatAUserLikedIsWhatTheyRatedBestTheNewestFirst) {
  Dataset data = small_dataset();
  const JobConfig job = job_of("mf");
  const auto model = make_model(job, data.fields);
  ASSERT_TRUE(model.ok()) << model.error().message;
  std::vector<std::int64_t> times(data.train.size);
  std::iota(times.begin(), times.end(), 0);
  data.train.times = Buffer::adopt(std::move(times));
  const auto newest = shown(job, data, **model, 1, {});
  EXPECT_EQ(newest.at("liked_by"), "time");
  EXPECT_EQ(newest.at("liked"), boost::json::value({"i22", "i19", "i16", "i13", "i10"}));
  std::vector<float> ratings(data.train.size, 3.0F);
  for (std::uint32_t i = 0; i < 3; ++i) ratings[kEach + i] = 5.0F;  // i1, i4 and i7 of user 1
  data.train.ratings = Buffer::adopt(std::move(ratings));
  const auto best = shown(job, data, **model, 1, {});
  EXPECT_EQ(best.at("liked_by"), "rating");
  EXPECT_EQ(best.at("liked"), boost::json::value({"i7", "i4", "i1", "i22", "i19"}));
}

TEST(RecommendPart, AModelWithoutItemVectorsNamesNoReason) {
  const Dataset data = small_dataset();
  const JobConfig job = job_of("fm");
  const auto model = make_model(job, data.fields);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto before = recommended(job, data, **model, 2, {});
  const auto after = recommended(job, data, **model, 2, {5});
  for (const auto& [name, item] : before) {
    EXPECT_TRUE(item.at("because").as_array().empty());
    EXPECT_NE(std::string(item.at("reason").as_string()).find(" it"), std::string::npos);
    EXPECT_EQ(item.at("score"), after.at(name).at("score"));
  }
}

}  // namespace
}  // namespace capstan
