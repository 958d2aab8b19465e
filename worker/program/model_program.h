// ModelProgram: a job's model as a program: training it, evaluating it, the baselines beside it, the report.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "worker/data/dataset.h"
#include "worker/models/model.h"
#include "worker/program/part.h"
#include "worker/program/recommend_part.h"

namespace capstan {

class ModelProgram final : public StepProgram {
 public:
  // Prepares the data and makes the model. Takes as long as reading the data does.
  static Result<std::unique_ptr<ModelProgram>> create(JobConfig job);

  const ProgramInfo& info() const override { return info_; }
  const std::vector<TableSpec>& tables() const override { return tables_; }
  std::uint64_t num_batches(const WorkItem& item) const override;
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  Result<Buffer> finish(const WorkItem& item) override;

  const JobConfig& job() const { return job_; }
  const Dataset& data() const { return data_; }
  const Model& model() const { return *model_; }
  // From now on the part "recommend" is for this.
  void recommend(RecommendRequest request);

 private:
  ModelProgram() = default;
  Status add_parts();
  Status add_ranking_parts();
  void add_judge_parts();
  void offer(std::string name, std::uint32_t partitions, std::unique_ptr<Part> part);
  Part* find(const WorkItem& item) const;

  JobConfig job_;
  Dataset data_;
  std::unique_ptr<Model> model_;
  ProgramInfo info_;
  std::vector<TableSpec> tables_;
  std::unique_ptr<Part> train_;
  std::map<std::string, std::unique_ptr<Part>> evaluate_;  // by the part's name
  std::map<std::string, std::unique_ptr<Part>> merge_;
};

}  // namespace capstan
