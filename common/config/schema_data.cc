#include "common/config/codecs.h"
#include "common/config/schema.h"

namespace capstan {
namespace {

Codec<DataFormat> format() {
  return word<DataFormat>({
      {"csv", DataFormat::kCsv, "delimited text"},
      {"tsv", DataFormat::kTsv, "delimited text, tabs by default"},
      {"libsvm", DataFormat::kLibsvm, "label index:value ..."},
      {"libffm", DataFormat::kLibffm, "label field:index:value ..."},
      {"criteo", DataFormat::kCriteo, "label, 13 integers I1..I13, 26 categories C1..C26, split by tabs"},
      {"jsonl", DataFormat::kJsonl, "one JSON object a line"},
      {"item_lists", DataFormat::kItemLists,
       "a user a line: the user's id, then the items in the order of their events, split by blanks; columns "
       "user, item and time, which is the place in the line"},
      {"movielens", DataFormat::kMovielens, "a folder in the layout of ml-latest-small, ml-100k or ml-1m"},
  });
}

std::shared_ptr<const SectionSpec> clean_schema() {
  const auto type = word<ColumnType>({{"string", ColumnType::kString, ""},
                                      {"int", ColumnType::kInt, ""},
                                      {"float", ColumnType::kFloat, ""}});
  const auto missing = word<Missing>({
      {"keep", Missing::kKeep, "a value of its own"},
      {"drop", Missing::kDrop, "the line is dropped and counted"},
      {"constant", Missing::kConstant, "replaced by `constant` as it is, whatever is clipped"},
      {"mean", Missing::kMean, "replaced by the mean of train, after clipping"},
      {"median", Missing::kMedian, "replaced by the median of train, after clipping"},
  });
  return SectionBuilder<CleanRule>()
      .key("column", &CleanRule::column, text(), "The column that the rule is for.")
      .key("type", &CleanRule::type, type, "A line whose value is of another type is rejected.")
      .key("required", &CleanRule::required, boolean(), "A line without a value is rejected.")
      .key("min", &CleanRule::min, maybe(number<double>()), "A line with a smaller value is rejected.")
      .key("max", &CleanRule::max, maybe(number<double>()), "A line with a larger value is rejected.")
      .key("missing", &CleanRule::missing, missing, "What becomes of a missing value.")
      .key("constant", &CleanRule::constant, number<double>(), "For `missing: constant`.")
      .key("indicator", &CleanRule::indicator, boolean(), "Adds a 0/1 column NAME_missing.")
      .key("clip_low", &CleanRule::clip_low, maybe(number<double>(between(0, 1))),
           "Values below this quantile (fitted on train) are raised to it.")
      .key("clip_high", &CleanRule::clip_high, maybe(number<double>(between(0, 1))),
           "Values above this quantile (fitted on train) are lowered to it.")
      .build();
}

std::shared_ptr<const SectionSpec> split_schema() {
  const auto method = word<SplitMethod>({
      {"none", SplitMethod::kNone, "all of `data.train` is training data"},
      {"leave_one_out", SplitMethod::kLeaveOneOut,
       "each user's last event is test, the one before it validation"},
      {"global_time", SplitMethod::kGlobalTime,
       "the latest events over all users: never trains on the future"},
      {"ratio_by_user", SplitMethod::kRatioByUser, "the latest share of each user's events, by (time, item)"},
      {"ratio", SplitMethod::kRatio, "a random share"},
      {"kfold", SplitMethod::kKFold, "fold number `fold` of `folds` is test"},
      {"files", SplitMethod::kFiles, "the files under `data.valid` and `data.test`"},
  });
  return SectionBuilder<SplitConfig>()
      .key("method", &SplitConfig::method, method, "How test and validation events are chosen.")
      .key("test", &SplitConfig::test, number<double>(between(0, 1)), "Share of the test events.")
      .key("valid", &SplitConfig::valid, number<double>(between(0, 1)),
           "Share of the validation events, of what the test events leave; 0: no validation.")
      .key("folds", &SplitConfig::folds, integer<std::uint32_t>(between(2, 1000)), "For `kfold`.")
      .key("fold", &SplitConfig::fold, integer<std::uint32_t>(), "For `kfold`: counts from 0.")
      .build();
}

std::shared_ptr<const SectionSpec> negatives_schema() {
  const auto sampler = word<Sampler>({
      {"uniform", Sampler::kUniform, "every item alike"},
      {"popularity", Sampler::kPopularity, "by count^alpha in train"},
      {"in_batch", Sampler::kInBatch,
       "the items of the other examples in the batch that a worker computes; the loss leaves out those equal "
       "to the "
       "example's own, and no other known ones"},
  });
  return SectionBuilder<NegativeConfig>()
      .key("per_positive", &NegativeConfig::per_positive, integer<std::uint32_t>(between(0, 10000)),
           "Negatives drawn for one positive, anew in every pass.")
      .key("sampler", &NegativeConfig::sampler, sampler, "Where they come from.")
      .key("alpha", &NegativeConfig::alpha, number<double>(between(0, 2)), "For `popularity`.")
      .key("exclude_known", &NegativeConfig::exclude_known, boolean(),
           "`uniform` and `popularity`: a user's train positives (with train.include_valid, validation's "
           "too) are "
           "never drawn. Test items always may be, whatever the sampler.")
      .build();
}

SectionBuilder<DataConfig>& add_columns(SectionBuilder<DataConfig>& section) {
  const std::string by_format = "by the format; movielens, item_lists: ";
  return section
      .key("label", &DataConfig::label, text(), "The column with the label; a ranking job may do without.")
      .default_note("by the format; movielens: rating; libsvm, libffm, criteo: label")
      .key("label_positive", &DataConfig::label_positive, list(text()),
           "ctr: the label is text, and these words mean 1, all others 0; not given: it is 0, 1 or -1.")
      .key("user", &DataConfig::user, text(), "The column with the user's id.")
      .default_note(by_format + "user")
      .key("item", &DataConfig::item, text(), "The column with the item's id.")
      .default_note(by_format + "item")
      .key("time", &DataConfig::time, text(),
           "The column with the time, as a number in any unit; only the order counts, fractions included.")
      .default_note(by_format + "time")
      .key("items", &DataConfig::items, text(), "A file with more columns of the items: titles, genres.")
      .key("item_columns", &DataConfig::item_columns, list(text()),
           "Names of the columns of that file where no header gives them. It is split by commas, by tabs "
           "when it "
           "is called .tsv, by `::` when it is called .dat; it may be Latin-1.")
      .key("item_key", &DataConfig::item_key, text(), "The column of that file with the item's id.")
      .default_note("as `item`")
      .key("users", &DataConfig::users, text(), "A file with more columns of the users.")
      .key("user_key", &DataConfig::user_key, text(), "The column of that file with the user's id.")
      .default_note("as `user`")
      .key("item_title", &DataConfig::item_title, text(), "The item column that names an item for people.")
      .default_note("by the format; movielens: title");
}

}  // namespace

std::shared_ptr<const SectionSpec> data_schema() {
  SectionBuilder<DataConfig> section;
  section.key("format", &DataConfig::format, format(), "How the files are written.")
      .key("train", &DataConfig::train, list(text()),
           "Files, globs or (movielens) a folder; .gz and .zst are read through.")
      .key("valid", &DataConfig::valid, list(text()), "Files for `split: {method: files}`.")
      .key("test", &DataConfig::test, list(text()), "Files for `split: {method: files}`.")
      .key("header", &DataConfig::header, boolean(), "csv, tsv: the first line names the columns.")
      .key("delimiter", &DataConfig::delimiter, text(), "csv, tsv: what splits the columns.")
      .default_note("\",\"; tsv: a tab")
      .key("columns", &DataConfig::columns, list(text()),
           "Names of the columns: of csv and tsv with `header: false`, or the keys of jsonl that are read.");
  add_columns(section)
      .key("test_columns", &DataConfig::test_columns, list(text()),
           "Names of the test files' columns where they differ from the training files'.")
      .default_note("as `columns`")
      .key("test_ids_are_indices", &DataConfig::test_ids_are_indices, boolean(),
           "Test and candidate files name users and items by their order of appearance in train.")
      .key("exclude_test_from_train", &DataConfig::exclude_test_from_train, boolean(),
           "`split: {method: files}`: a (user, item) of the test files is taken out of train.")
      .key("test_candidates", &DataConfig::test_candidates, text(),
           "A file with the negatives that each test item is ranked among (NCF layout).")
      .key("positive_from", &DataConfig::positive_from, maybe(number<double>()),
           "Ranking: events with at least this label are positive; not given: all are.")
      .key("clean", &DataConfig::clean, list(capstan::section<CleanRule>(clean_schema())),
           "Rules for single columns.")
      .key("unique", &DataConfig::unique, list(text()),
           "Of lines that agree in these columns the latest is kept.")
      .key("max_bad_lines", &DataConfig::max_bad_lines, integer<std::uint64_t>(),
           "More bad lines than this end the job.")
      .key("reject_file", &DataConfig::reject_file, text(),
           "Bad lines are copied here, with file, line and reason.")
      .key("split", &DataConfig::split, capstan::section<SplitConfig>(split_schema()),
           "What is held back for validation and test.")
      .key("negatives", &DataConfig::negatives, capstan::section<NegativeConfig>(negatives_schema()),
           "Ranking: items that a user did not choose.");
  return section.build();
}

}  // namespace capstan
