#include "worker/data/prepare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/worker/data/movielens_fixture.h"

namespace capstan {
namespace {

template <typename T>
std::vector<T> values(const Buffer& buffer) {
  const auto span = buffer.as<T>();
  return {span.begin(), span.end()};
}

using Ids = std::vector<std::uint32_t>;

class Prepare : public testing::Test {
 protected:
  TempDir dir;
};

TEST_F(Prepare, MovielensBecomesUsersItemsAndParts) {
  JobConfig job = ranking_job(dir, write_ml_latest(dir));
  job.data.split.test = 0.5;
  job.data.split.valid = 0.5;
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->user_names, (std::vector<std::string>{"7", "3"}));
  EXPECT_EQ(data->item_names, (std::vector<std::string>{"30", "10", "20"}));
  EXPECT_EQ(data->item_titles, (std::vector<std::string>{"Up", "Heat, The (1995)", "Am\xC3\xA9lie"}));
  // 7: 30, then 10 (test). 3: 20, then 10 (valid), then 30 (test).
  EXPECT_EQ(values<std::uint32_t>(data->train.users), (Ids{0, 1}));
  EXPECT_EQ(values<std::uint32_t>(data->train.items), (Ids{0, 2}));
  EXPECT_EQ(values<std::uint32_t>(data->valid.items), (Ids{1}));
  EXPECT_EQ(values<std::uint32_t>(data->test.items), (Ids{1, 0}));
  EXPECT_EQ(values<float>(data->train.labels), (std::vector<float>{1, 1}));
  EXPECT_EQ(values<std::uint32_t>(data->item_counts), (Ids{1, 0, 1}));
  EXPECT_TRUE(data->test_items.contains(1, 0));
  EXPECT_FALSE(data->test_items.contains(0, 0));
  ASSERT_EQ(data->fields.size(), 2U);
  EXPECT_EQ(data->fields[1].name, "item");
  EXPECT_EQ(data->fields[1].source, FieldSource::kItem);
  EXPECT_EQ(data->fields[1].cardinality, 3U);
  EXPECT_EQ(data->item_fields[1].row_keys(2)[0], 2U);
}

TEST_F(Prepare, PositiveFromDropsLowRatings) {
  JobConfig job = ranking_job(dir, write_ml_latest(dir));
  job.data.positive_from = 3.0;
  job.data.split.method = SplitMethod::kNone;
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->train.size, 3U);
  EXPECT_EQ(data->num_items, 2U);
  EXPECT_NE(data->summary.find("2  dropped: rating below positive_from 3"), std::string::npos)
      << data->summary;
}

TEST_F(Prepare, RatingsStayLabels) {
  JobConfig job = ranking_job(dir, write_ml_latest(dir));
  job.task = Task::kRating;
  job.data.split.method = SplitMethod::kNone;
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(values<float>(data->train.labels), (std::vector<float>{4.0F, 2.5F, 5.0F, 1.0F, 3.0F}));
}

TEST_F(Prepare, OlderMovielensLayouts) {
  dir.write("100k/u.data", "7\t30\t4\t100\n3\t10\t5\t50\n");
  std::string item = "30|Caf\xE9 (1990)|01-Jan-1990||http://x|0|1|0|0|0|1";
  for (int i = 0; i < 13; ++i) item += "|0";
  std::string other = "10|Plain|||";
  for (int i = 0; i < 19; ++i) other += "|0";
  dir.write("100k/u.item", item + "\n" + other + "\n");
  dir.write("1m/ratings.dat", "7::30::4::100\n3::10::5::50\n");
  dir.write("1m/movies.dat", "30::Caf\xE9 (1990)::Action|Comedy\n10::Plain::Drama\n");
  for (const char* layout : {"100k", "1m"}) {
    SCOPED_TRACE(layout);
    JobConfig job = ranking_job(dir, dir.path(layout));
    job.data.split.method = SplitMethod::kNone;
    const auto data = prepare(job, {});
    ASSERT_TRUE(data.ok()) << data.error().message;
    EXPECT_EQ(data->item_names, (std::vector<std::string>{"30", "10"}));
    EXPECT_EQ(data->item_titles, (std::vector<std::string>{"Caf\xC3\xA9 (1990)", "Plain"}));
    EXPECT_EQ(values<std::int64_t>(data->train.times), (std::vector<std::int64_t>{100, 50}));
  }
}

TEST_F(Prepare, AnUnknownFolderIsExplained) {
  dir.write("odd/ratings.csv", "x\n");
  const auto data = prepare(ranking_job(dir, dir.path("odd")), {});
  ASSERT_FALSE(data.ok());
  EXPECT_EQ(data.error().message,
            dir.path("odd") +
                ": no MovieLens layout; looked for ratings.csv + movies.csv (ml-latest) or u.data + u.item "
                "(ml-100k) or ratings.dat + movies.dat (ml-1m), each also .gz or .zst; the folder holds "
                "ratings.csv");
}

TEST_F(Prepare, LabelsOfClicksAreZeroOrOne) {
  JobConfig job;
  job.task = Task::kCtr;
  job.work_dir = dir.path("work");
  job.data.label = "click";
  job.data.max_bad_lines = 0;
  const auto outcome = [&](std::string_view label) {
    job.data.train = {dir.write("c.csv", "click,a\n1,x\n" + std::string(label) + ",y\n")};
    const auto data = prepare(job, {});
    return data.ok() ? "ok" : data.error().message.substr(dir.path().size() + 1);
  };
  EXPECT_EQ(outcome("-1"), "ok");
  EXPECT_EQ(outcome("2"), "c.csv:3: the label '2' is not 0, 1 or -1");
  EXPECT_EQ(outcome("nan"), "c.csv:3: the label 'nan' is not finite");
  EXPECT_EQ(outcome("yes"), "c.csv:3: the label 'yes' is not a number (data.label_positive names words)");
  job.data.label_positive = {"1", "yes"};
  job.data.delimiter = ", ";
  job.data.train = {dir.write("c.csv", "click, a\nyes, x\nno, y\n1, z\nyes., x\n")};
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(values<float>(data->train.labels), (std::vector<float>{1, 0, 1, 0}));
}

TEST_F(Prepare, HowManyBadLinesAreAllowedIsNoPropertyOfTheDataButStillCounts) {
  JobConfig job;
  job.task = Task::kCtr;
  job.work_dir = dir.path("work");
  job.data.label = "click";
  job.data.train = {dir.write("c.csv", "click,a\n1,x\n2,y\n0,z\n")};
  job.data.max_bad_lines = 1;
  const auto strict = prepare(job, {});
  job.data.max_bad_lines = 5;
  job.data.reject_file = dir.path("rejects");
  const auto generous = prepare(job, {});
  ASSERT_TRUE(strict.ok() && generous.ok());
  EXPECT_EQ(strict->fingerprint, generous->fingerprint);
  job.data.max_bad_lines = 0;
  EXPECT_FALSE(prepare(job, {}).ok()) << "although it has been prepared before";
}

TEST_F(Prepare, TitlesComeFromAFileWithoutHeader) {
  dir.write("pairs.tsv", "7\t30\n3\t10\n3\t20\n");
  JobConfig job;
  job.task = Task::kRanking;
  job.work_dir = dir.path("work");
  job.data.format = DataFormat::kTsv;
  job.data.delimiter = "\t";
  job.data.header = false;
  job.data.columns = {"user", "item"};
  job.data.user = "user";
  job.data.item = "item";
  job.data.train = {dir.path("pairs.tsv")};
  job.data.items = dir.write("movies.dat", "30::Caf\xE9 (1990)::Action|Comedy\n10::Plain::Drama\n");
  job.data.item_columns = {"item", "title", "genres"};
  job.data.item_key = "item";
  job.data.item_title = "title";
  job.data.split.method = SplitMethod::kNone;
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->item_titles, (std::vector<std::string>{"Caf\xC3\xA9 (1990)", "Plain", "20"}));
}

TEST_F(Prepare, ASideRowThatIsNotThereHasAllItsColumnsMissing) {
  JobConfig job;
  job.task = Task::kRanking;
  job.work_dir = dir.path("work");
  job.data.train = {dir.write("r.csv", "u,i\n1,a\n1,b\n2,c\n2,d\n")};
  job.data.user = "u";
  job.data.item = "i";
  job.data.items = dir.write("items.csv", "i,price\na,99\nb,4\nother,50\na,2\nc,\n");
  job.data.item_key = "i";
  job.data.split.method = SplitMethod::kNone;
  CleanRule& rule = job.data.clean.emplace_back();
  rule.column = "price";
  rule.type = ColumnType::kFloat;
  rule.missing = Missing::kMean;
  rule.indicator = true;
  for (const std::string column : {"price", "price_missing"}) {
    FeatureConfig& feature = job.features.emplace_back();
    feature.name = column;
    feature.columns = {column};
    feature.transform = {{"log", {}}};
    if (column == "price_missing") feature.transform = {{"vocab", {}}};
  }
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  ASSERT_EQ(data->fields.size(), 4U) << "user and item come first";
  ASSERT_EQ(data->fields[2].source, FieldSource::kItem);
  ASSERT_EQ(data->fields[3].source, FieldSource::kItem);
  std::vector<float> prices;
  std::vector<Key> marks;
  for (std::uint32_t item = 0; item < 4; ++item) {
    prices.push_back(std::round(std::expm1(data->item_fields[2].value(item))));
    marks.push_back(data->item_fields[3].row_keys(item)[0]);
  }
  EXPECT_EQ(prices, (std::vector<float>{2, 4, 3, 3})) << "of two rows the later one; the mean of 2 and 4";
  EXPECT_EQ(marks[0], marks[1]);
  EXPECT_EQ(marks[2], marks[3]) << "an empty cell and a row that is not there are missing alike";
  EXPECT_NE(marks[0], marks[2]);
  EXPECT_THAT(data->summary, testing::HasSubstr("data.items: a later row of the same i counts"));
  EXPECT_THAT(data->summary, testing::HasSubstr("items without a row in data.items"));
}

TEST_F(Prepare, ATestItemInTheHistoryIsAnError) {
  dir.write("r.csv", "u,i,t\n1,5,1\n1,6,2\n1,5,3\n");
  JobConfig job;
  job.task = Task::kRanking;
  job.work_dir = dir.path("work");
  job.data.train = {dir.path("r.csv")};
  job.data.user = "u";
  job.data.item = "i";
  job.data.time = "t";
  job.data.split.method = SplitMethod::kLeaveOneOut;
  job.data.split.valid = 0;
  const auto data = prepare(job, {});
  ASSERT_FALSE(data.ok());
  EXPECT_NE(data.error().message.find("test item '5' of user '1' also stands in the user's history"),
            std::string::npos);
}

}  // namespace
}  // namespace capstan
