namespace capstan {}
