// KeptValues: what each user or example of the test part got, kept beside the report to compare runs later.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

struct KeptValues {
  // Ranking: the raw ids, each once; long ones end in their hash.
  std::vector<std::string> users;
  std::map<std::string, std::vector<float>> figures;  // "model/ndcg@10": [users]
  // ctr and rating, in the order of the test part: probabilities or predictions, and what was true.
  std::vector<float> scores, labels;
};

// As docs/FORMATS.md says: an npz of arrays `users` and one a figure, or `score` and `label`.
Result<Buffer> encode(const KeptValues& values);
// kCorrupt when arrays do not belong together.
Result<KeptValues> decode_kept_values(const Buffer& npz);

std::string kept_name(std::string_view user);

}  // namespace capstan
