"""The reseller kit (S38): web and email copy, banners, questions and answers, set-up pages, in one's own brand."""
