// Images: their size, their thumbnail, and what is refused before it can do harm.
#include "bottega/attachments/pictures.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "support/cluster.hpp"
#include "support/errors.hpp"
#include "support/media.hpp"

namespace bottega::test {
namespace attachments_pictures_test {

using namespace attachments;

constexpr std::int64_t kPixels = 1'000'000;

class Pictures : public testing::Test {
 protected:
  Picture read(const std::string& bytes, const std::string& type, std::int64_t pixels = kPixels) {
    const auto path = dir_.path() / "picture";
    std::ofstream(path, std::ios::binary) << bytes;
    return read_picture(path, type, pixels);
  }
  std::optional<Code> refusal_of(const std::string& bytes, const std::string& type) {
    return code_of([&] { read(bytes, type); });
  }
  // The size that a picture has when it is read.
  std::pair<std::int64_t, std::int64_t> size_of(const std::string& bytes, const std::string& type) {
    const auto picture = read(bytes, type);
    return {picture.width, picture.height};
  }
  TempDir dir_;
};

TEST_F(Pictures, OfEveryKindAreRead) {
  const std::pair<std::int64_t, std::int64_t> size{64, 48};
  EXPECT_EQ(size_of(a_jpeg(), "image/jpeg"), size);
  EXPECT_EQ(size_of(a_gif(), "image/gif"), size);
  EXPECT_EQ(size_of(a_webp(), "image/webp"), size);
  EXPECT_EQ(size_of(a_png(64, 48), "image/png"), size);
}

TEST_F(Pictures, AThumbnailIsAJpegOfAtMostThisSide) {
  const auto wide = read(a_png(1'000, 500), "image/png");
  EXPECT_EQ(size_of(wide.thumbnail, "image/jpeg"),
            (std::pair<std::int64_t, std::int64_t>{320, 160}));
  const auto high = read(a_png(100, 900), "image/png");
  EXPECT_EQ(read(high.thumbnail, "image/jpeg").height, 320);
  const auto small = read(a_png(10, 20), "image/png");
  EXPECT_EQ(size_of(small.thumbnail, "image/jpeg"), (std::pair<std::int64_t, std::int64_t>{10, 20}))
      << "it is never made larger";
}

TEST_F(Pictures, AThumbnailIsTurnedAndSaysNothingOfItsMaker) {
  for (const unsigned orientation : {1u, 3u, 6u, 8u}) {
    const auto picture = read(jpeg_with(exif_of_a_camera(orientation)), "image/jpeg");
    const bool turned = orientation >= 5;
    EXPECT_EQ(picture.width, turned ? 48 : 64);
    EXPECT_EQ(size_of(picture.thumbnail, "image/jpeg"), (std::pair{picture.width, picture.height}));
    EXPECT_EQ(picture.thumbnail.find(kSecretPlace), std::string::npos);
    EXPECT_EQ(picture.thumbnail.find("Exif"), std::string::npos);
  }
}

TEST_F(Pictures, PixelsAreCountedBeforeTheyAreDecoded) {
  EXPECT_EQ(refusal_of(a_bomb(30'000, 30'000), "image/png"), Code::invalid);
  EXPECT_EQ(refusal_of(a_png(1'001, 1'000), "image/png"), Code::invalid);
  EXPECT_EQ(refusal_of(a_png(1'000, 1'000), "image/png"), std::nullopt);
}

TEST_F(Pictures, WhatIsDamagedIsRefused) {
  const auto jpeg = a_jpeg(), png = a_png(64, 48);
  EXPECT_EQ(refusal_of(jpeg.substr(0, jpeg.size() / 2), "image/jpeg"), Code::invalid);
  EXPECT_EQ(refusal_of(png.substr(0, png.size() / 2), "image/png"), Code::invalid);
  EXPECT_EQ(refusal_of(a_bomb(64, 48), "image/png"), Code::invalid);
  EXPECT_EQ(refusal_of("\xff\xd8\xff nothing", "image/jpeg"), Code::invalid);
  EXPECT_EQ(refusal_of("", "image/jpeg"), Code::invalid);
}

TEST_F(Pictures, NoOtherFormatIsDecodedWhateverItIsCalled) {
  EXPECT_EQ(refusal_of(a_png(4, 4), "image/jpeg"), Code::invalid);
  EXPECT_EQ(
      refusal_of("<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'/>", "image/png"),
      Code::invalid);
  EXPECT_EQ(refusal_of("%PDF-1.4\n", "image/png"), Code::invalid);
  EXPECT_EQ(refusal_of("P5 4 4 255\n0123456789abcdef", "image/png"), Code::invalid);
}

}  // namespace attachments_pictures_test
}  // namespace bottega::test
