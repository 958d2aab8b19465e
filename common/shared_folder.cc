#include "common/shared_folder.h"

#include <spdlog/fmt/fmt.h>

#include <span>
#include <string_view>

#include "common/text.h"

namespace capstan {

namespace {

constexpr std::string_view kStem = ".shared-";

Error not_shared(const std::string& who, const std::string& path, const std::string& writer) {
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("{} does not see {}, which {} has written: the folder must be one that all nodes "
                  "share, under the same path",
                  who, path, writer));
}

// A disk that fails says nothing of the folder.
bool lacks(Storage& storage, const std::string& path, const std::string& text) {
  const auto found = storage.read(path);
  return found.ok() ? found->text() != text : found.error().code == ErrorCode::kNotFound;
}

Status write_text(Storage& storage, const std::string& path, const std::string& text) {
  return storage.publish(path, std::as_bytes(std::span(text)));
}

}  // namespace

Result<SharedFolderProof> begin_proof(Storage& storage, const std::string& folder, std::uint32_t generation,
                                      std::uint64_t id) {
  CAPSTAN_TRY(storage.create_dirs(folder));
  const std::string text = fmt::format("{}-{}", generation, id);
  SharedFolderProof proof{fmt::format("{}/{}{}", folder, kStem, text), text};
  CAPSTAN_TRY(write_text(storage, proof.path, text));
  return proof;
}

Result<std::string> answer_proof(Storage& storage, const SharedFolderProof& proof, const std::string& node) {
  if (lacks(storage, proof.path, proof.text)) return not_shared(node, proof.path, "the scheduler");
  const std::string answer = fmt::format("{}.{}", proof.path, node);
  return write_text(storage, answer, proof.text).ok() ? answer : std::string();
}

Status check_answer(Storage& storage, const SharedFolderProof& proof, const std::string& node,
                    const std::string& wrote) {
  if (wrote.empty()) return ok_status();
  if (lacks(storage, wrote, proof.text)) return not_shared("the scheduler", wrote, node);
  return ok_status();
}

void remove_proofs(Storage& storage, const std::string& folder, std::uint32_t generation) {
  const auto names = storage.list(folder);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!name.starts_with(kStem)) continue;
    const auto of = parse_uint(name.substr(kStem.size(), name.find('-', kStem.size()) - kStem.size()));
    if (!of.has_value() || *of <= generation) static_cast<void>(storage.remove(folder + "/" + name).ok());
  }
}

}  // namespace capstan
