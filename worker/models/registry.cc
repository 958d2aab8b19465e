#include "worker/models/registry.h"

#include <spdlog/fmt/fmt.h>

#include <array>

#include "worker/loss/loss.h"
#include "worker/models/dcn_v2.h"
#include "worker/models/deepfm.h"
#include "worker/models/dlrm.h"
#include "worker/models/finalmlp.h"
#include "worker/models/fm.h"
#include "worker/models/lr.h"
#include "worker/models/mf.h"
#include "worker/models/mlp.h"
#include "worker/models/neumf.h"
#include "worker/models/sequence.h"
#include "worker/models/wide_deep.h"

namespace capstan {
namespace {

constexpr std::array<ModelEntry, 11> kModels = {{
    {"lr", make_lr},
    {"fm", make_fm},
    {"wide_deep", make_wide_deep},
    {"deepfm", make_deepfm},
    {"mlp", make_mlp},
    {"mf", make_mf},
    {"neumf", make_neumf},
    {"dcn_v2", make_dcn_v2},
    {"dlrm", make_dlrm},
    {"finalmlp", make_finalmlp},
    {"sequence", make_sequence},
}};

// In-batch negatives come as a matrix of scores, which takes a loss that reads one and a model that can make
// one.
Status check_in_batch(const JobConfig& job, const Model& model) {
  if (job.task != Task::kRanking || job.data.negatives.sampler != Sampler::kInBatch) return ok_status();
  if (!loss_of(job).in_batch) {
    return make_error(ErrorCode::kInvalid, "negatives in_batch need loss sampled_softmax or ultragcn");
  }
  if (model.vector_size() == 0) {
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("negatives in_batch need model mf or sequence: {} has no vectors of users and items",
                    job.model.type));
  }
  return ok_status();
}

}  // namespace

std::span<const ModelEntry> all_models() {
  return kModels;
}

Result<std::unique_ptr<Model>> make_model(const JobConfig& job, std::span<const FieldInfo> fields) {
  std::string known;
  for (const ModelEntry& entry : kModels) {
    if (entry.type == job.model.type) {
      CAPSTAN_ASSIGN(auto model, entry.make(ModelTables(job, fields)));
      CAPSTAN_TRY(model->tables().apart());
      CAPSTAN_TRY(check_in_batch(job, *model));
      return model;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.type);
  }
  return make_error(ErrorCode::kInvalid, fmt::format("model type {} is none of {}", job.model.type, known));
}

}  // namespace capstan
