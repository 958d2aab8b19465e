// Places where a test may break one of the protocol's rules on purpose, to see that the simulator finds it.
// In every program but test_mutation, CAPSTAN_PLANTED is the constant false. docs/TESTING.md lists the bugs.
#pragma once

#include <cstdint>

namespace capstan {

enum class PlantedBug : std::uint8_t {
  kNone,
  kServesAfterLease,
  kTermsNotFenced,
  kGapsAccepted,
  kDuplicatesApplied,
  kSlotsInOrderOfArrival,
  kResentSlicesChange,
  kStalenessOneMore,
  kWatermarkSkipsGaps,
  kCutReadsCursorsLate,
  kSnapshotWithoutStreams,
  kTermsStartAnew,
  kBreaksItsPromise,
  kServesAfterHandover,
  kHandsOverUndrained,
  kGivesWhatItPromised,
  kMembersGoUnknown,
  kMovesWithoutTail,
  kCountsLearnersEarly,
  kEpochsAreReused,
  kHandsOverDuringCut,
  kDeltaWithoutRemovals,
  kDeltaOfFailedCheckpoint,
  kDeltaOfUnknownBase,
  kAppendsWithoutLeading,
  kCopiesWithoutClock,
  kSplitsUnconfirmed,
  kStreamsOfItems,
  kAcksBeforeCopies,
  kEvictionsNotLogged,
  kIgnoresFailedSync,
  kLeaseBeforeMap,
  kMovesInFirstLease,
  kRefusedKeepsItsNumber,
  kBusyUsesItsNumber,
  kLeadsOutsideItsChain,
  kPromotesLearners,
  kLeftUnderOldEpochs,
  kMapBeforeWelcome,
  kDirectStreamsTakenOver,
  kClosedStreamsComeBack,
  kTakesFormerCopies,
  kCutsBehindTheShards,
  kMembersTakeOldEpochs,
  kForgetsUnpublished,
};

#ifdef CAPSTAN_PLANTED_BUGS
bool planted(PlantedBug bug);  // defined by the test
#define CAPSTAN_PLANTED(bug) ::capstan::planted(::capstan::PlantedBug::bug)
#else
#define CAPSTAN_PLANTED(bug) false
#endif

}  // namespace capstan
