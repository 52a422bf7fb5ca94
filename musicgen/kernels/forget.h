/* What the next instruction set defines anew. */
#undef ON
#undef LANES
#undef ROWS
#undef vec
#undef ivec
#undef uvec
#undef loose
#undef WIDTH
#undef PADDED
#undef ZIP_LOW
#undef ZIP_HIGH
