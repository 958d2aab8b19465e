#include "worker/program/model_program.h"

#include <spdlog/fmt/fmt.h>

#include <utility>

#include "worker/data/prepare.h"
#include "worker/models/registry.h"
#include "worker/program/train_part.h"

namespace capstan {

Result<std::unique_ptr<ModelProgram>> ModelProgram::create(JobConfig job) {
  std::unique_ptr<ModelProgram> program(new ModelProgram());
  program->job_ = std::move(job);
  CAPSTAN_ASSIGN(program->data_, prepare(program->job_, [](std::string_view, double) {}));
  CAPSTAN_ASSIGN(program->model_, make_model(program->job_, program->data_.fields));
  for (const auto& table : program->model_->tables().all()) program->tables_.push_back(table.spec);
  program->info_.data_fingerprint = program->data_.fingerprint;
  program->info_.train_examples = program->data_.train.size;
  program->info_.summary = program->data_.summary;
  program->add_parts();
  return program;
}

void ModelProgram::add_parts() { train_ = std::make_unique<TrainPart>(job_, data_, *model_); }

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

Status ModelProgram::compute(const WorkItem& item, Step& step) { return find(item)->compute(item, step); }

Result<Buffer> ModelProgram::finish(const WorkItem& item) {
  Part* part = find(item);
  if (part == nullptr) return make_error(ErrorCode::kInvalid, fmt::format("no work is called {}", item.name));
  return part->finish(item);
}

}  // namespace capstan
