// A folder that several nodes must share, such as that of checkpoints, is proved to be shared: whoever
// proves it writes a file there, each of the others finds it and writes one of its own beside it.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.h"
#include "common/storage.h"

namespace capstan {

struct SharedFolderProof {
  std::string path;  // of the file; empty: nothing is to be proved
  std::string text;  // what is in it
};

// Writes a proof into `folder`, which it makes. generation, id: of the scheduler and its question.
Result<SharedFolderProof> begin_proof(Storage& storage, const std::string& folder, std::uint32_t generation,
                                      std::uint64_t id);

// kInvalid in words when the file is not there or another's. Else the name of the file that was written
// beside it by `node`; empty when it could not be, which the first checkpoint will say: it is no proof
// against the folder.
Result<std::string> answer_proof(Storage& storage, const SharedFolderProof& proof, const std::string& node);

// kInvalid in words when what `node` said to have written is not to be found.
Status check_answer(Storage& storage, const SharedFolderProof& proof, const std::string& node,
                    const std::string& wrote);

// Those of the folder, of this generation and earlier ones: those of a later one are a successor's, who may
// lead by now. A server that was asked twice may leave one behind.
void remove_proofs(Storage& storage, const std::string& folder, std::uint32_t generation);

}  // namespace capstan
