// What is taken out of an image before it is kept, and that the image stays one.
#include "attachments/metadata.hpp"

#include <gtest/gtest.h>

#include "support/media.hpp"

namespace bottega::test {
namespace attachments_metadata_test {

using namespace attachments;
using namespace std::string_literals;

bool has(const std::string& bytes, std::string_view what) {
  return bytes.find(what) != std::string::npos;
}

TEST(Metadata, OfACameraIsTakenOutOfAJpeg) {
  const auto taken = jpeg_with(exif_of_a_camera(1) + jpeg_segment(0xfe, "a comment") +
                                   jpeg_segment(0xed, "Photoshop 3.0 IPTC") +
                                   jpeg_segment(0xe1, "http://ns.adobe.com/xap/1.0/ XMP"),
                               "a film behind the end");
  ASSERT_TRUE(has(taken, kSecretPlace));
  EXPECT_EQ(without_metadata(taken, "image/jpeg"), a_jpeg()) << "the pixels stay bit for bit";
}

TEST(Metadata, TheOrientationOfAJpegStays) {
  for (unsigned orientation = 2; orientation <= 8; ++orientation) {
    const auto clean = without_metadata(jpeg_with(exif_of_a_camera(orientation)), "image/jpeg");
    ASSERT_TRUE(clean.has_value());
    EXPECT_FALSE(has(*clean, kSecretPlace));
    ASSERT_EQ(clean->substr(2, 2), "\xff\xe1");
    EXPECT_EQ(orientation_of(std::string_view(*clean).substr(6)), orientation);
    EXPECT_EQ(without_metadata(*clean, "image/jpeg"), clean) << "doing it again changes nothing";
  }
}

TEST(Metadata, TheColoursOfAJpegStay) {
  const auto colours = jpeg_segment(0xe0, "JFIF\0\1\1\0\0\1\0\1\0\0"s) +
                       jpeg_segment(0xe2, "ICC_PROFILE\0\1\1..."s) + jpeg_segment(0xee, "Adobe");
  EXPECT_EQ(without_metadata(jpeg_with(colours), "image/jpeg"), jpeg_with(colours));
  EXPECT_EQ(without_metadata(jpeg_with(jpeg_segment(0xe2, "MPF\0..."s)), "image/jpeg"), a_jpeg());
}

// ITU-T T.81, B.1.1: behind a scan they would be part of it once a comment between them is gone.
TEST(Metadata, MarkersOutOfTheirPlaceAreRefused) {
  for (const unsigned marker : {0x00u, 0x01u, 0xd0u, 0xd7u, 0xd8u})
    EXPECT_FALSE(without_metadata(jpeg_with(jpeg_segment(marker, "x")), "image/jpeg")) << marker;
}

TEST(Metadata, OrientationsThatAreNoneAreOne) {
  EXPECT_EQ(orientation_of(""), 1u);
  EXPECT_EQ(orientation_of("Exif\0\0"s), 1u);
  EXPECT_EQ(orientation_of("Exif\0\0II*\0\xff\xff\xff\xff"s), 1u);
  EXPECT_EQ(orientation_of("Exif\0\0MM\0*\0\0\0\x08\xff\xff"s), 1u);
  EXPECT_EQ(orientation_of(exif_of_a_camera(0).substr(4)), 1u);
  EXPECT_EQ(orientation_of(exif_of_a_camera(9).substr(4)), 1u);
  EXPECT_EQ(orientation_of(exif_of_a_camera(6).substr(4)), 6u);
}

TEST(Metadata, TextIsTakenOutOfAPng) {
  const auto taken = a_png(5, 4, std::string(kSecretPlace));
  ASSERT_TRUE(has(taken, kSecretPlace));
  EXPECT_EQ(without_metadata(taken + "more", "image/png"), a_png(5, 4));
}

TEST(Metadata, ExifIsTakenOutOfAWebpAndItsHeaderSaysSo) {
  const auto taken = a_webp();
  ASSERT_TRUE(has(taken, "EXIF"));
  const auto clean = without_metadata(taken, "image/webp");
  ASSERT_TRUE(clean.has_value());
  EXPECT_FALSE(has(*clean, "EXIF"));
  EXPECT_EQ(clean->size(), 118u);
  EXPECT_EQ(static_cast<unsigned char>((*clean)[4]), 110u) << "the size of the RIFF";
  EXPECT_EQ((*clean)[20] & 0x08, 0);
  EXPECT_NE(taken[20] & 0x08, 0);
}

TEST(Metadata, WhatIsCutAnywhereIsRefusedOrNotReadBehindItsEnd) {
  for (const auto& [image, type] :
       {std::pair{jpeg_with(exif_of_a_camera(6)), "image/jpeg"}, std::pair{a_webp(), "image/webp"},
        std::pair{a_png(5, 4, "words"), "image/png"}}) {
    for (std::size_t size = 0; size < image.size(); ++size) {
      const std::string cut = image.substr(0, size);
      EXPECT_EQ(without_metadata(cut, type), std::nullopt) << type << ' ' << size;
    }
    EXPECT_TRUE(without_metadata(image, type).has_value());
  }
}

}  // namespace attachments_metadata_test
}  // namespace bottega::test
