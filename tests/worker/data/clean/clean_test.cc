#include <gtest/gtest.h>

#include "common/hash.h"
#include "tests/temp_dir.h"
#include "worker/data/prepare.h"

namespace capstan {
namespace {

CleanRule rule(std::string column, ColumnType type) {
  CleanRule result;
  result.column = std::move(column);
  result.type = type;
  return result;
}

class Clean : public testing::Test {
 protected:
  Clean() {
    job.task = Task::kCtr;
    job.work_dir = dir.path("work");
    job.data.label = "label";
  }

  // The dense feature n of the training rows, or the error.
  std::string prepared(std::string_view text) {
    job.data.train = {dir.write("c.csv", text)};
    FeatureConfig feature;
    feature.name = "n";
    feature.columns = {"n"};
    job.features = {feature};
    auto data = prepare(job, {});
    if (!data.ok()) {
      const std::string& message = data.error().message;
      return message.starts_with(dir.path()) ? message.substr(dir.path().size() + 1) : message;
    }
    result = std::move(data).value();
    std::string values;
    for (std::uint64_t row = 0; row < result.train.size; ++row) {
      values += (row > 0 ? " " : "") + std::to_string(result.train.fields[0].value(row)).substr(0, 4);
    }
    return values;
  }

  TempDir dir;
  JobConfig job;
  Dataset result;
};

TEST_F(Clean, BadValuesAreBadLines) {
  job.data.max_bad_lines = 0;
  CleanRule& n = job.data.clean.emplace_back(rule("n", ColumnType::kFloat));
  EXPECT_EQ(prepared("label,n\n1,2\n0,abc\n"), "c.csv:3: column 'n': 'abc' is not a number");
  EXPECT_EQ(prepared("label,n\n1,2\n0,nan\n"), "c.csv:3: column 'n': 'nan' is not a finite number");
  EXPECT_EQ(prepared("label,n\n1,2\n0,-inf\n"), "c.csv:3: column 'n': '-inf' is not a finite number");
  EXPECT_EQ(prepared("label,n\n1,2\n0,1e300\n"), "c.csv:3: column 'n': 1e300 is beyond a float's range");
  n.min = 1;
  n.max = 5;
  EXPECT_EQ(prepared("label,n\n1,2\n0,0.5\n"), "c.csv:3: column 'n': 0.5 is below the least, 1");
  EXPECT_EQ(prepared("label,n\n1,6\n0,1\n"), "c.csv:2: column 'n': 6 is above the most, 5");
  n.required = true;
  EXPECT_EQ(prepared("label,n\n1,\n0,1\n"), "c.csv:2: column 'n' is empty");
  n.type = ColumnType::kInt;
  EXPECT_EQ(prepared("label,n\n1,1.5\n0,1\n"), "c.csv:2: column 'n': '1.5' is not a whole number");
  EXPECT_EQ(prepared("label,n\n1,1.0\n0,5\n"), "1.00 5.00");
}

TEST_F(Clean, BadLinesLeaveAndAreCounted) {
  job.data.clean = {rule("n", ColumnType::kFloat)};
  job.data.reject_file = dir.path("rejected");
  EXPECT_EQ(prepared("label,n\n1,2\n0,x\n7,3\n0,4\n"), "2.00 4.00");
  EXPECT_EQ(dir.read("rejected"), dir.path("c.csv:3\tcolumn 'n': 'x' is not a number\t0\tx\n") +
                                      dir.path("c.csv:4\tthe label '7' is not 0, 1 or -1\t7\t3\n"));
  EXPECT_NE(result.summary.find("4 lines read, 2 bad"), std::string::npos) << result.summary;
  EXPECT_NE(result.summary.find("1  bad line: n is not a number"), std::string::npos) << result.summary;
}

TEST_F(Clean, WhenNothingIsLeftTheReasonsAreTold) {
  job.data.clean = {rule("n", ColumnType::kFloat), rule("m", ColumnType::kString)};
  job.data.clean[1].missing = Missing::kDrop;
  EXPECT_EQ(prepared("label,n,m\n1,x,1\n0,y,1\n7,3,1\n1,3,\n"),
            "c.csv: no line is left after cleaning"
            "\n           1  bad line: bad label, first " +
                dir.path("c.csv:4: the label '7' is not 0, 1 or -1") +
                "\n           2  bad line: n is not a number, first " +
                dir.path("c.csv:2: column 'n': 'x' is not a number") +
                "\n           1  dropped: m is missing");
}

TEST_F(Clean, MissingValuesAreFilledFromTrain) {
  CleanRule& n = job.data.clean.emplace_back(rule("n", ColumnType::kFloat));
  job.data.test = {dir.write("t.csv", "label,n\n1,100\n1,\n")};
  const char* text = "label,n\n1,1\n0,\n0,2\n1,9\n";
  job.data.split.valid = 0;
  EXPECT_EQ(prepared(text), "1.00 0.00 2.00 9.00");
  n.missing = Missing::kMean;
  EXPECT_EQ(prepared(text), "1.00 4.00 2.00 9.00");
  EXPECT_EQ(result.test.fields[0].value(1), 4.0F);
  EXPECT_NE(result.summary.find("2  n: missing, filled with 4"), std::string::npos) << result.summary;
  n.missing = Missing::kMedian;
  EXPECT_EQ(prepared(text), "1.00 2.00 2.00 9.00");
  n.missing = Missing::kConstant;
  n.constant = -7;
  EXPECT_EQ(prepared(text), "1.00 -7.0 2.00 9.00");
  n.missing = Missing::kDrop;
  EXPECT_EQ(prepared(text), "1.00 2.00 9.00");
  EXPECT_NE(result.summary.find("2  dropped: n is missing"), std::string::npos) << result.summary;
}

TEST_F(Clean, IndicatorMarksWhatWasMissing) {
  CleanRule& n = job.data.clean.emplace_back(rule("n", ColumnType::kFloat));
  n.missing = Missing::kMean;
  n.indicator = true;
  job.data.train = {dir.write("c.csv", "label,n\n1,1\n0,\n")};
  FeatureConfig mark;
  mark.name = "mark";
  mark.columns = {"n_missing"};
  job.features = {mark};
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(data->train.fields[0].row_keys(0)[0], hash_string("n_missing=0"));
  EXPECT_EQ(data->train.fields[0].row_keys(1)[0], hash_string("n_missing=1"));
}

TEST_F(Clean, OutliersAreClippedToTrainQuantiles) {
  CleanRule& n = job.data.clean.emplace_back(rule("n", ColumnType::kFloat));
  n.clip_low = 0.25;
  n.clip_high = 0.75;
  job.data.split.valid = 0;
  job.data.test = {dir.write("t.csv", "label,n\n1,100\n1,2.5\n")};
  EXPECT_EQ(prepared("label,n\n1,0\n0,1\n0,2\n1,3\n0,4\n"), "1.00 1.00 2.00 3.00 3.00");
  EXPECT_EQ(result.test.fields[0].value(0), 3.0F);
  EXPECT_EQ(result.test.fields[0].value(1), 2.5F);
  EXPECT_NE(result.summary.find("3  n: clipped to [1, 3]"), std::string::npos) << result.summary;
}

TEST_F(Clean, MissingValuesAreFilledWithClippedOnes) {
  CleanRule& n = job.data.clean.emplace_back(rule("n", ColumnType::kFloat));
  n.clip_high = 0.75;
  n.missing = Missing::kMean;
  const char* text = "label,n\n1,1\n0,2\n0,3\n1,4\n0,5000\n1,\n";
  job.data.split.method = SplitMethod::kNone;
  EXPECT_EQ(prepared(text), "1.00 2.00 3.00 4.00 4.00 2.80");
  EXPECT_NE(result.summary.find("1  n: clipped to at most 4\n"), std::string::npos) << result.summary;
  n.clip_high = 0.25;
  n.missing = Missing::kMedian;
  EXPECT_EQ(prepared(text), "1.00 2.00 2.00 2.00 2.00 2.00");
  n.missing = Missing::kConstant;
  n.constant = 70;
  EXPECT_EQ(prepared(text), "1.00 2.00 2.00 2.00 2.00 70.0");
  n.clip_high.reset();
  n.clip_low = 0.25;
  EXPECT_EQ(prepared(text), "2.00 2.00 3.00 4.00 5000 70.0");
  EXPECT_NE(result.summary.find("1  n: clipped to at least 2\n"), std::string::npos) << result.summary;
}

TEST_F(Clean, OfDuplicatesTheLastByTimeStays) {
  job.task = Task::kRanking;
  job.data.user = "u";
  job.data.item = "i";
  job.data.time = "t";
  job.data.unique = {"u", "i"};
  job.data.train = {dir.write("r.csv", "label,u,i,t\n1,a,x,5\n1,a,y,1\n1,a,x,3\n1,b,x,2\n1,a,y,1\n")};
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  const auto times = data->train.times.as<std::int64_t>();
  EXPECT_EQ(std::vector<std::int64_t>(times.begin(), times.end()), (std::vector<std::int64_t>{5, 2, 1}));
  EXPECT_NE(data->summary.find("2  dropped: same u, i as a later row"), std::string::npos) << data->summary;
}

TEST_F(Clean, FractionsOfTimesKeepTheirOrder) {
  job.task = Task::kRanking;
  job.data.user = "u";
  job.data.item = "i";
  job.data.time = "t";
  job.data.label = "";
  job.data.split.method = SplitMethod::kLeaveOneOut;
  job.data.split.valid = 0;
  job.data.train = {dir.write("r.csv",
                              "u,i,t\na,w,0.9\na,x,0.2\na,y,-0.5\na,z,0.2\nb,w,9007199254740993\n"
                              "b,x,9007199254740992\nb,y,7\n")};
  const auto data = prepare(job, {});
  ASSERT_TRUE(data.ok()) << data.error().message;
  const auto times = data->train.times.as<std::int64_t>();
  const std::vector<std::int64_t> ranks = {1, 0, 1, 4, 3};
  EXPECT_EQ(std::vector<std::int64_t>(times.begin(), times.end()), ranks);
  ASSERT_EQ(data->test.size, 2U);
  EXPECT_EQ(data->item_names[data->test.item(0)], "w");
  EXPECT_EQ(data->item_names[data->test.item(1)], "w");
}

TEST_F(Clean, RulesThemselvesAreChecked) {
  job.data.clean = {rule("m", ColumnType::kFloat)};
  EXPECT_EQ(prepared("label,n\n1,1\n"), "c.csv: no column 'm'; its columns are label, n");
  job.data.clean = {rule("n", ColumnType::kString)};
  job.data.clean[0].max = 3;
  EXPECT_EQ(prepared("label,n\n1,1\n"),
            "clean rule for 'n': min, max, mean, median and clip need type int or float");
}

}  // namespace
}  // namespace capstan
