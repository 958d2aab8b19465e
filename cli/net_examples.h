// NetExamples: some of a job's examples with Capstan's scores, for those who serve its net to check theirs
// by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/offline_job.h"

namespace capstan {

class NetExamples {
 public:
  // The first `count` of the test split, else of valid, else of train. Scored as an evaluation does, but with
  // zeros for a key that has no row, where Capstan would take the row that it starts with.
  static Result<NetExamples> take(OfflineJob& job, std::uint32_t count);

  // Arrays: of each feature its keys (see add_keys()); user and item [n], their places in users.txt and
  // items.txt, where the data have them; numbers, label, score, and with `probability` that too, each
  // [n, ...].
  Status write(Storage& files, const std::string& path, bool probability) const;
  std::string summary() const;  // "100 examples of test, 3 of their keys without a row"

 private:
  struct Field {
    std::string name;
    std::vector<std::uint64_t> keys, offsets;
    std::vector<float> weights;
  };
  static Field field_of(const std::string& name, const BatchData::Field& entries,
                        const std::vector<Key>& keys);
  std::uint64_t blank_missing_rows(const CheckpointTables& tables, const ModelTables& declared,
                                   std::vector<StepTable>& step);

  std::string split_;
  std::vector<Field> fields_;
  std::vector<std::uint64_t> users_, items_;
  std::uint32_t num_dense_ = 0;
  std::vector<float> dense_, labels_, scores_;
  std::uint64_t missing_ = 0;
};

}  // namespace capstan
