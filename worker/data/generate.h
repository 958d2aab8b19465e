// Seeded data with a planted truth, of any size: what a model can reach on it is known.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"

namespace capstan {

enum class GenerateKind : std::uint8_t { kCtr, kRatings, kLibsvm };

struct GenerateOptions {
  GenerateKind kind = GenerateKind::kCtr;
  std::string out_dir;
  std::uint64_t seed = 1;
  std::uint64_t rows = 1'000'000;     // training rows; ratings: events, about
  std::uint64_t test_rows = 200'000;  // ctr, libsvm
  double skew = 1.05;  // the value, item or feature of rank r is drawn in proportion to r^-skew
  double drift = 0.0;  // how far the truth has moved at the end of the data; 0: it stands still

  std::uint32_t fields = 20;   // ctr
  std::uint32_t values = 200;  // ctr: distinct values of a field
  double linear_scale = 0.9;   // ctr, libsvm: deviation of the logit's linear part
  double pair_scale = 1.3;     // ctr: deviation of the logit's pairwise part
  double bias = -1.2;          // ctr, libsvm: of the logit

  std::uint32_t users = 2000, items = 1000;  // ratings
  std::uint32_t factors = 4;                 // ctr, ratings

  std::uint32_t features = 1000;        // libsvm
  std::uint32_t features_per_row = 20;  // libsvm
};

struct GenerateSummary {
  std::vector<std::string> files;
  std::uint64_t rows = 0, test_rows = 0;
  double positive_rate = 0.0;  // of the test rows; ratings: share of ratings of 4 and more
  // AUC of the true chances on the test rows: no model can be expected to do better. Ratings: of the true
  // mean rating, for "rated 4 or more", over the events.
  double best_auc = 0.0;
  double linear_auc = 0.0;  // the same of the logit's linear part alone: what logistic regression can reach
  std::string text;         // the above for people, a few lines
};

// ctr      train.csv, test.csv: label, f1 … fN. logit = bias + sum of a weight for each value + sum over
// pairs of fields
//          of the dot product of the values' factors. Factors have mean zero under the draw of values, so the
//          pairwise part is invisible to a linear model. At most fields * values distinct values.
// ratings  ratings.csv, movies.csv in the ml-latest layout. An event's item is drawn by popularity and
// accepted by
//          the user's planted taste; ratings are the planted mean plus noise, in half stars from 0.5 to 5.
// libsvm   train.svm, test.svm, labels 1 and -1: a linear truth over power-law features.
// A pure function of the options. Memory: the truth, and a score for each test row (ratings: event, up to
// four million). kInvalid for options that make no sense.
Result<GenerateSummary> generate(const GenerateOptions& options);

// One kind each; generate() checks the options first.
Result<GenerateSummary> generate_ctr(const GenerateOptions& options);
Result<GenerateSummary> generate_ratings(const GenerateOptions& options);
Result<GenerateSummary> generate_libsvm(const GenerateOptions& options);

}  // namespace capstan
