// What the generators share: a file written in pieces, power-law draws, and known scores beside labels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/rng.h"
#include "common/storage.h"
#include "worker/data/negatives.h"

namespace capstan {

// Appends lines to a file in large pieces. The first failure is kept and told by finish().
class LineWriter {
 public:
  static Result<LineWriter> open(Storage& storage, const std::string& path);
  void write(std::string_view text);
  Status finish();  // flushes, syncs, closes

 private:
  explicit LineWriter(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  void flush();

  std::unique_ptr<WritableFile> file_;
  std::string pending_;
  Status status_ = ok_status();
};

// r^-skew for ranks r = 1 … n, their sum 1.
std::vector<double> power_law(std::uint32_t n, double skew);

// n normal values of this deviation.
std::vector<double> normal_values(Rng& rng, std::size_t n, double deviation);

double sigmoid(double logit);

// Labels beside what the truth says of them.
struct Judged {
  std::vector<float> labels, best, linear;

  void add(bool label, double best_score, double linear_score);
  double positive_rate() const;
  double best_auc() const;  // 0.5 when there is one class only
  double linear_auc() const;
};

}  // namespace capstan
