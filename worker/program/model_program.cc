#include "worker/program/model_program.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "common/text.h"
#include "worker/data/prepare.h"
#include "worker/models/registry.h"
#include "worker/nn/gemm.h"
#include "worker/program/baseline_part.h"
#include "worker/program/ials_part.h"
#include "worker/program/judge_part.h"
#include "worker/program/merge_part.h"
#include "worker/program/rank_part.h"
#include "worker/program/recommend_part.h"
#include "worker/program/train_part.h"

namespace capstan {
Result<std::unique_ptr<ModelProgram>> ModelProgram::create(JobConfig job) {
  std::unique_ptr<ModelProgram> program(new ModelProgram());
  program->job_ = std::move(job);
  CAPSTAN_ASSIGN(program->data_, prepare(program->job_, [](std::string_view, double) {}));
  CAPSTAN_TRY(verify_gemm());
  const bool ials = program->job_.model.type == "ials";
  CAPSTAN_ASSIGN(program->model_,
                 make_model(ials ? ials_as_mf(program->job_) : program->job_, program->data_.fields));
  for (const auto& table : program->model_->tables().all()) program->tables_.push_back(table.spec);
  program->info_.data_fingerprint = program->data_.rows_fingerprint;
  program->info_.train_examples = program->data_.train.size;
  const Dataset& data = program->data_;
  program->info_.summary = data.summary;
  if (const auto unread = program->model_->tables().unread(); !unread.empty()) {
    program->info_.summary +=
        fmt::format("\nmodel {} does not look at: {}", program->job_.model.type, join(unread, ", "));
  }
  program->info_.counts = {data.valid.size, data.test.size, data.num_users, data.num_items};
  CAPSTAN_TRY(program->add_parts());
  return program;
}

Status ModelProgram::add_parts() {
  if (job_.model.type == "ials") {
    CAPSTAN_ASSIGN(train_, IalsPart::create(job_, data_, *model_));
  } else {
    auto train = std::make_unique<TrainPart>(job_, data_, *model_);
    if (model_->tables().sequence()) info_.train_examples = train->num_examples();
    train_ = std::move(train);
  }
  if (job_.task == Task::kRanking) {
    CAPSTAN_TRY(add_ranking_parts());
  } else {
    add_judge_parts();
  }
  merge_["valid"] = std::make_unique<ValidMergePart>(job_);
  merge_["report"] = std::make_unique<ReportMergePart>(job_, data_, info_.evaluate_parts);
  return ok_status();
}

Status ModelProgram::add_ranking_parts() {
  const std::uint32_t partitions = job_.cluster.workers;
  if (data_.valid.size > 0) {
    CAPSTAN_ASSIGN(auto valid, RankPart::create(job_, data_, *model_, EvalSplit::kValid));
    offer("valid", partitions, std::move(valid));
  }
  if (data_.test.size > 0 && job_.evaluate.test) {
    CAPSTAN_ASSIGN(auto test, RankPart::create(job_, data_, *model_, EvalSplit::kTest));
    offer("test", partitions, std::move(test));
    for (const auto& name : job_.evaluate.baselines) {
      offer("baseline:" + name, 1, std::make_unique<BaselinePart>(job_, data_, name));
    }
  }
  if (job_.evaluate.recommend_users > 0) {
    auto users = users_to_show(data_, job_.evaluate.recommend_users, job_.seed);
    offer("recommend", 1,
          std::make_unique<RecommendPart>(job_, data_, *model_, RecommendRequest{std::move(users), 10, {}}));
  }
  return ok_status();
}

void ModelProgram::recommend(RecommendRequest request) {
  evaluate_["recommend"] = std::make_unique<RecommendPart>(job_, data_, *model_, std::move(request));
}

void ModelProgram::add_judge_parts() {
  const std::uint32_t partitions = job_.cluster.workers;
  if (data_.valid.size > 0)
    offer("valid", partitions, std::make_unique<JudgePart>(job_, data_, data_.valid, *model_));
  if (data_.test.size > 0 && job_.evaluate.test)
    offer("test", partitions, std::make_unique<JudgePart>(job_, data_, data_.test, *model_));
}

void ModelProgram::offer(std::string name, std::uint32_t partitions, std::unique_ptr<Part> part) {
  info_.evaluate_parts.push_back({name, partitions});
  evaluate_[std::move(name)] = std::move(part);
}

Part* ModelProgram::find(const WorkItem& item) const {
  if (item.kind == WorkKind::kTrain) return train_.get();
  const auto& parts = item.kind == WorkKind::kEvaluate ? evaluate_ : merge_;
  const auto found = parts.find(item.name);
  return found == parts.end() ? nullptr : found->second.get();
}

std::uint64_t ModelProgram::num_batches(const WorkItem& item) const {
  const Part* part = find(item);
  return part == nullptr ? 0 : part->num_batches(item);
}

Status ModelProgram::build(const WorkItem& item, std::uint64_t batch, Step& step) {
  return find(item)->build(item, batch, step);
}

Status ModelProgram::compute(const WorkItem& item, Step& step) {
  return find(item)->compute(item, step);
}

Result<Buffer> ModelProgram::finish(const WorkItem& item) {
  Part* part = find(item);
  if (part == nullptr) return make_error(ErrorCode::kInvalid, fmt::format("no work is called {}", item.name));
  return part->finish(item);
}

}  // namespace capstan
