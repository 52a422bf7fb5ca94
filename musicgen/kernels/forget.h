/* What the next instruction set defines anew. */
#undef ON
#undef LANES
#undef VECTORS
#undef vec
#undef ivec
#undef uvec
#undef loose
#undef WIDTH
#undef PARTS
#undef ZIP_LOW
#undef ZIP_HIGH
